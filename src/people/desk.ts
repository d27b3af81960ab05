import type { Audit } from '../audit/types.ts';
import type { Guard } from '../guard/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { RandomSource } from '../lib/ids.ts';
import { Problem } from '../lib/problem.ts';
import type { Storage, Tx } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import { giveLink } from './links.ts';
import { keysOf } from './recovery.ts';
import type { EndAccess } from './types.ts';

export interface DeskDeps {
  storage: Storage;
  clock: Clock;
  random: RandomSource;
  issuer: URL;
  audit: Audit;
  users: Users;
  guard: Pick<Guard, 'subjectKey' | 'unlockAll'>;
  endAccess: EndAccess;
}

/** Whom a command is about, and who gave it. `name`: as people sign in, or the id. */
export interface About {
  name: string;
  by: string;
}

/** A link for choosing a new password; `expiresAt` in ISO 8601. */
export interface GivenLink {
  username: string;
  url: string;
  expiresAt: string;
}

/** What administrators do to accounts of others. Each throws Problem 404 for a name that no account has. */
export interface PeopleDesk {
  /** The password is void at once and everybody is signed out; the link, used once, chooses a new one. */
  reset(about: About): Promise<GivenLink>;
  /** Ends everything that the account has opened. False when it was switched off already. */
  disable(about: About): Promise<{ username: string; changed: boolean }>;
  /** What was ended stays ended. False when it was on already. */
  enable(about: About): Promise<{ username: string; changed: boolean }>;
  /** Lifts every lock and wait of the account. */
  unlock(about: About): Promise<{ username: string }>;
}

export function createPeopleDesk(deps: DeskDeps): PeopleDesk {
  const { audit, clock, endAccess, guard, storage, users } = deps;

  const change = <T>(about: About, work: (tx: Tx, user: User, now: Date) => Promise<T>): Promise<T> =>
    storage.transaction(async (tx) => {
      const found = await find(users, tx, about.name);
      // Read again: whoever comes second sees what the first one has done.
      const user = found && (await users.lock(tx, found.id));
      if (!user) throw notFound(about.name);
      return work(tx, user, clock.now());
    });

  const record = (tx: Tx, name: string, { id }: User, { by }: About, now: Date): Promise<void> =>
    audit.record(tx, now, [{ name, subject: id, actor: by }]);

  return {
    reset: (about) =>
      change(about, async (tx, user, now) => {
        if (user.disabled) throw switchedOff(user.username);
        await users.removePassword(tx, user.id, now);
        await endAccess(tx, user.id, 'password-reset', now);
        const { expiresAt, url } = await giveLink(deps, tx, { userId: user.id, by: about.by }, now);
        await record(tx, 'admin.password_reset', user, about, now);
        return { username: user.username, url, expiresAt: expiresAt.toISOString() };
      }),

    disable: (about) =>
      change(about, async (tx, user, now) => {
        await users.setDisabled(tx, user.id, true, now);
        await endAccess(tx, user.id, 'disabled', now);
        if (!user.disabled) await record(tx, 'user.disabled', user, about, now);
        return { username: user.username, changed: !user.disabled };
      }),

    enable: (about) =>
      change(about, async (tx, user, now) => {
        if (!user.disabled) return { username: user.username, changed: false };
        await users.setDisabled(tx, user.id, false, now);
        await record(tx, 'admin.user_enabled', user, about, now);
        return { username: user.username, changed: true };
      }),

    unlock: (about) =>
      change(about, async (tx, user, now) => {
        const keys = [...keysOf({ guard, users }, user), guard.subjectKey(user.id)].toSorted();
        for (const key of keys) await guard.unlockAll(tx, key);
        await record(tx, 'admin.user_unlocked', user, about, now);
        return { username: user.username };
      }),
  };
}

const find = (users: Users, tx: Tx, name: string): Promise<User | undefined> =>
  /^usr_[\w-]{22}$/.test(name) ? users.findById(tx, name) : users.findByIdentifier(tx, name);

const notFound = (name: string): Problem =>
  new Problem({ status: 404, code: 'user_not_found', message: `There is no user '${name}'.` });

const switchedOff = (name: string): Problem =>
  new Problem({
    status: 409,
    code: 'user_disabled',
    message: `'${name}' is switched off, and no new password would open the account. Enable it first.`,
  });

/** What the command line may ask of a running server. */
export const peopleCommands = (desk: PeopleDesk): Record<string, (input: unknown) => Promise<unknown>> => ({
  'user/reset': (input) => desk.reset(input as About),
  'user/disable': (input) => desk.disable(input as About),
  'user/enable': (input) => desk.enable(input as About),
  'user/unlock': (input) => desk.unlock(input as About),
});
