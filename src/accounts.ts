import type { FastifyPluginAsync } from 'fastify';
import type { createApps } from './apps/index.ts';
import { auditPersonal } from './audit/index.ts';
import type { Audit } from './audit/types.ts';
import type { Settings } from './config/types.ts';
import type { Crypto } from './crypto/types.ts';
import { deliveryPersonal } from './delivery/index.ts';
import { flowsPersonal } from './flows/index.ts';
import type { Flows, Recovery } from './flows/types.ts';
import { guardPersonal, removeLocks, subjectKeys } from './guard/index.ts';
import type { Guard } from './guard/types.ts';
import type { Http } from './http/types.ts';
import type { Clock } from './lib/clock.ts';
import type { RandomSource } from './lib/ids.ts';
import type { Logger } from './lib/log.ts';
import type { Notices } from './notices/types.ts';
import { createLogoutNotices, endGrants, listConsents } from './oidc/index.ts';
import { otpPersonal } from './otp/index.ts';
import {
  createAccess,
  createPeopleDesk,
  createRecovery,
  deleteDue,
  exportData,
  linkRoutes,
  type PeopleDesk,
} from './people/index.ts';
import { createDevices, createSessions, sessionPersonal } from './sessions/index.ts';
import type { Devices, Sessions } from './sessions/types.ts';
import type { PersonalRows, Storage } from './storage/types.ts';
import type { User, Users } from './users/types.ts';

/** What is left of a person beside the rows that go with the account's own. */
export const personal: PersonalRows[] = [
  ...flowsPersonal,
  ...sessionPersonal,
  ...otpPersonal,
  ...deliveryPersonal,
  ...guardPersonal,
  ...auditPersonal,
];

interface Parts {
  storage: Storage;
  crypto: Crypto;
  clock: Clock;
  random: RandomSource;
  audit: Audit;
  users: Users;
  settings: Settings;
  issuer: URL;
}

/** For commands: apps are told of what it ends by whichever gateway runs on the database. */
export function createDesk(parts: Parts & { apps: ReturnType<typeof createApps> }): PeopleDesk {
  const { apps, clock, crypto } = parts;
  const sessions = createSessions({ ...parts, ended: createLogoutNotices({ apps, clock }) });
  const devices = createDevices(parts);
  const endAccess = createAccess({ ...parts, sessions, devices, endGrants });
  const guard = { subjectKey: subjectKeys(crypto), unlockAll: removeLocks };
  const more = { ...parts, sessions, devices, listConsents };
  return createPeopleDesk({
    ...{ ...parts, guard, endAccess, personal },
    exportData: (user, now) => exportData(more, user, now),
  });
}

export interface Accounts {
  recovery: Recovery;
  plugin: FastifyPluginAsync;
  exportData(user: User, now: Date): Promise<Record<string, unknown>>;
}

/** What is done to accounts as wholes while a gateway runs. `flows` is asked when somebody chooses a password. */
export function createAccounts(
  parts: Parts & {
    log: Logger;
    http: Http;
    guard: Guard;
    sessions: Sessions;
    devices: Devices;
    notices: Notices;
    flows(): Pick<Flows, 'passwordAlone'>;
  },
): Accounts {
  const endAccess = createAccess({ ...parts, endGrants });
  const recovery = createRecovery({
    ...{ ...parts, endAccess },
    passwordAlone: (db, user) => parts.flows().passwordAlone(db, user),
  });
  const deletion = { ...parts, endAccess, personal };
  // Every ten minutes, by one of the instances; what is due is looked up anew each time.
  parts.storage.jobs.define('people.deletion', async () => void (await deleteDue(deletion)));
  parts.storage.jobs.schedule('people.deletion', '*/10 * * * *');
  return {
    recovery,
    plugin: linkRoutes({ ...parts, recovery }),
    exportData: (user, now) => exportData({ ...parts, listConsents }, user, now),
  };
}
