/**
 * Who is logged in, in which browser: the one place where that is said. OpenID, self-service and every other surface
 * read it with each request, so a session that is revoked here has ended everywhere.
 *
 * Owns the tables `sessions` and `remembered_devices` and the member `sessions` of gateway.yaml. A session's row is also
 * the OpenID provider's session: it keeps its part in the column `oidc` and gives out the cookie, of which only a hash is
 * known here. Of a remembered device's cookie only is known which of its values is the present one.
 *
 * Not here: tokens (oidc), the run of a login (flows), what a session is enough for (flows).
 *
 * Routes: none.
 */
import type { PersonalRows, Sweep } from '../storage/types.ts';

export { type Device, deviceOf } from './device.ts';
export { createDevices, type DevicesDeps } from './devices/service.ts';
export { isWithin, oldestFactorMs } from './limits.ts';
export { createSessions, type SessionsDeps } from './service.ts';
export { type SessionsDocument, sessionsSection } from './settings.ts';
export {
  type JoinedSession,
  joinedSession,
  type OidcSession,
  readByCookie,
  readById,
  readJoined,
  savingOidc,
} from './store.ts';

/** A row is kept until the end of its longest life, revoked or not. */
export const sessionSweeps: Sweep[] = [{ table: 'sessions' }, { table: 'remembered_devices' }];

export const sessionPersonal: PersonalRows[] = [{ table: 'sessions' }];
