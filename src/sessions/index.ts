/**
 * Who is logged in, in which browser: the one place where that is said. OpenID, self-service and every other surface
 * read it with each request, so a session that is revoked here has ended everywhere.
 *
 * Owns the table `sessions` and the member `sessions` of gateway.yaml. The row is also the OpenID provider's session:
 * it keeps its part in the column `oidc` and gives out the cookie, of which only a hash is known here.
 *
 * Not here: tokens (oidc), the run of a login (flows), what a session is enough for (flows).
 *
 * Routes: none.
 */
import type { Sweep } from '../storage/types.ts';

export type { Device } from './device.ts';
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
export const sessionSweeps: Sweep[] = [{ table: 'sessions' }];
