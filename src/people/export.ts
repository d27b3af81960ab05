import type { Audit } from '../audit/types.ts';
import { after } from '../lib/clock.ts';
import type { Devices, Sessions } from '../sessions/types.ts';
import type { Db, Storage } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';

export interface ExportDeps {
  storage: Storage;
  audit: Audit;
  users: Users;
  sessions: Sessions;
  devices: Devices;
  /** What the user has allowed which app. */
  listConsents(db: Db, userId: string): Promise<{ appId: string; scopes: string[]; since: Date }[]>;
}

/** Events in one piece of the history. */
const pageSize = 500;
const mostEvents = 20_000;
/** Further back than anything is kept. */
const everMs = 100 * 365 * 24 * 60 * 60_000;

/** Everything that is kept of a person, for that person, without what opens anything. Reads only. */
export async function exportData(deps: ExportDeps, user: User, now: Date): Promise<Record<string, unknown>> {
  const { devices, listConsents, sessions, storage, users } = deps;
  const { db } = storage;
  const [credentials, live, remembered, consents, activity] = await Promise.all([
    users.credentials.list(db, user.id),
    sessions.list(db, user.id, now),
    devices.list(db, user.id, now),
    listConsents(db, user.id),
    activityOf(deps, user, now),
  ]);
  return {
    exportedAt: now,
    profile: profileOf(user),
    attributes: user.attributes,
    groups: user.groups,
    factors: {
      password: user.hasPassword ? { changedAt: user.passwordChangedAt } : null,
      backupCodesLeft: user.backupCodes,
      codeSwitchedOff: user.codeOff,
      others: credentials.map(({ createdAt, label, lastUsedAt, type }) => ({
        ...{ type, label, createdAt, lastUsedAt },
      })),
    },
    sessions: live.map(
      ({ authTime, country, createdAt, expiresAt, factors, id, ip, lastSeenAt, userAgent }) => ({
        ...{ id, createdAt, lastSeenAt, authTime, expiresAt, ip, country, userAgent },
        signedInWith: factors.map(({ at, method }) => ({ method, at: new Date(at) })),
      }),
    ),
    devices: remembered.map(({ createdAt, device, expiresAt, id, ip, lastUsedAt, passes }) => ({
      ...{ id, device, ip, createdAt, lastUsedAt, expiresAt, passes },
    })),
    consents,
    activity,
  };
}

const profileOf = (user: User) => ({
  ...{ id: user.id, username: user.username, name: user.name, createdAt: user.createdAt },
  ...{ email: user.email, emailConfirmed: user.emailVerified },
  ...{ phone: user.phone, phoneConfirmed: user.phoneVerified, secondPhone: user.secondPhone },
  ...{ passwordReplacedAt: user.recoveredAt, deletionAt: user.deleteAt },
});

async function activityOf({ audit, storage }: ExportDeps, user: User, now: Date) {
  const since = after(now, -everMs);
  const events: unknown[] = [];
  let before: string | null = null;
  do {
    const wish = { names: null, since, before, limit: pageSize };
    const page = await audit.history(storage.db, user.id, wish);
    events.push(...page.map(({ place: _, ...event }) => event));
    before = page.length === pageSize ? (page.at(-1)?.place ?? null) : null;
  } while (before !== null && events.length < mostEvents);
  return events;
}
