import type { Audit } from '../audit/types.ts';
import type { Guard } from '../guard/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { RandomSource } from '../lib/ids.ts';
import { Problem } from '../lib/problem.ts';
import type { Db, PersonalRows, Storage, Tx } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import { type CodesSet, setCodes, switchCode } from './changes.ts';
import { remove } from './deletion.ts';
import { giveLink } from './links.ts';
import { keysOf } from './recovery.ts';
import { deleteLinks } from './store.ts';
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
  /** What every feature keeps of users. */
  personal: readonly PersonalRows[];
  /** Everything that is kept of a person. */
  exportData(user: User, now: Date): Promise<Record<string, unknown>>;
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
  /** `given`: codes with commas between them, of any length; null: ten are made and answered, once. Throws Problem 400. */
  backupCodes(about: About & { given: string | null }): Promise<CodesSet>;
  /** Switches the code by message off or on. `until`: the last day without it (`2026-12-31`). Throws Problem 400. */
  code(
    about: About & { off: boolean; until: string | null },
  ): Promise<{ username: string; changed: boolean }>;
  /** What is kept of the person, as their own copy has it. */
  exportData(about: About): Promise<Record<string, unknown>>;
  /** Removes the account with all that belongs to it, at once and for good. */
  delete(about: About): Promise<{ username: string }>;
}

/** Does work on the account that is meant, with its row held. Throws Problem 404. */
type Change = <T>(about: About, work: (tx: Tx, user: User, now: Date) => Promise<T>) => Promise<T>;

export function createPeopleDesk(deps: DeskDeps): PeopleDesk {
  const { clock, storage, users } = deps;
  const change: Change = (about, work) =>
    storage.transaction(async (tx) => {
      const found = await find(users, tx, about.name);
      // Read again: whoever comes second sees what the first one has done.
      const user = found && (await users.lock(tx, found.id));
      if (!user) throw notFound(about.name);
      return work(tx, user, clock.now());
    });
  return { ...accessOf(deps, change), ...factorsAndData(deps, change) };
}

type Recording = Pick<DeskDeps, 'audit'>;

const record = (
  { audit }: Recording,
  tx: Tx,
  name: string,
  { id }: User,
  { by }: About,
  now: Date,
): Promise<void> => audit.record(tx, now, [{ name, subject: id, actor: by }]);

/** Who gets in. */
function accessOf(
  deps: DeskDeps,
  change: Change,
): Pick<PeopleDesk, 'reset' | 'disable' | 'enable' | 'unlock'> {
  const { endAccess, guard, users } = deps;
  return {
    reset: (about) =>
      change(about, async (tx, user, now) => {
        if (user.disabled) throw switchedOff(user.username);
        await users.removePassword(tx, user.id, now);
        await endAccess(tx, user.id, 'password-reset', now);
        const { expiresAt, url } = await giveLink(deps, tx, { userId: user.id, by: about.by }, now);
        await record(deps, tx, 'admin.password_reset', user, about, now);
        return { username: user.username, url, expiresAt: expiresAt.toISOString() };
      }),

    disable: (about) =>
      change(about, async (tx, user, now) => {
        await users.setDisabled(tx, user.id, true, now);
        await endAccess(tx, user.id, 'disabled', now);
        await deleteLinks(tx, user.id);
        if (!user.disabled) await record(deps, tx, 'user.disabled', user, about, now);
        return { username: user.username, changed: !user.disabled };
      }),

    enable: (about) =>
      change(about, async (tx, user, now) => {
        if (!user.disabled) return { username: user.username, changed: false };
        await users.setDisabled(tx, user.id, false, now);
        await record(deps, tx, 'admin.user_enabled', user, about, now);
        return { username: user.username, changed: true };
      }),

    unlock: (about) =>
      change(about, async (tx, user, now) => {
        const keys = [...keysOf({ guard, users }, user), guard.subjectKey(user.id)].toSorted();
        for (const key of keys) await guard.unlockAll(tx, key);
        await record(deps, tx, 'admin.user_unlocked', user, about, now);
        return { username: user.username };
      }),
  };
}

/** What people sign in with, and what is kept of them. */
function factorsAndData(
  deps: DeskDeps,
  change: Change,
): Pick<PeopleDesk, 'backupCodes' | 'code' | 'exportData' | 'delete'> {
  const { clock, storage, users } = deps;
  return {
    backupCodes: ({ given, ...about }) =>
      change(about, (tx, user, now) => setCodes(deps, tx, user, { by: about.by, given }, now)),

    code: ({ off, until, ...about }) =>
      change(about, (tx, user, now) => switchCode(deps, tx, user, { by: about.by, off, until }, now)),

    async exportData(about) {
      const now = clock.now();
      const user = await find(users, storage.db, about.name);
      if (!user) throw notFound(about.name);
      const data = await deps.exportData(user, now);
      await storage.transaction((tx) => record(deps, tx, 'admin.data_exported', user, about, now));
      return data;
    },

    delete: (about) =>
      change(about, async (tx, user, now) => {
        await remove(deps, tx, user, { reason: 'by-administrator', actor: about.by }, now);
        return { username: user.username };
      }),
  };
}

const find = (users: Users, tx: Db, name: string): Promise<User | undefined> =>
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
  'user/backup-codes': (input) => desk.backupCodes(input as Parameters<PeopleDesk['backupCodes']>[0]),
  'user/code': (input) => desk.code(input as Parameters<PeopleDesk['code']>[0]),
  'user/export': (input) => desk.exportData(input as About),
  'user/delete': (input) => desk.delete(input as About),
});
