import type { Audit } from '../audit/types.ts';
import type { Guard } from '../guard/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { PersonalRows, Storage, Tx } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import { erase } from './erase.ts';
import { keysOf } from './recovery.ts';
import type { EndAccess } from './types.ts';

export interface DeletionDeps {
  storage: Storage;
  clock: Clock;
  log: Logger;
  audit: Audit;
  users: Users;
  guard: Pick<Guard, 'subjectKey' | 'unlockAll'>;
  endAccess: EndAccess;
  /** What every feature keeps of users. */
  personal: readonly PersonalRows[];
}

/** Accounts in one go; the next run takes up the rest. */
const batch = 100;

/**
 * Deletes the accounts whose time has come, each in a transaction of its own: killed anywhere, the next run of any
 * instance goes on. Answers how many went.
 */
export async function deleteDue(deps: DeletionDeps): Promise<number> {
  const { clock, log, storage, users } = deps;
  const due = await users.dueForDeletion(storage.db, batch, clock.now());
  let gone = 0;
  for (const id of due) {
    try {
      if (await deleteAccount(deps, id)) gone += 1;
    } catch (err) {
      // One that cannot be deleted now must not keep the others from it.
      log.error({ err, user: id }, 'an account was not deleted; it is tried again');
    }
  }
  return gone;
}

/** Looked at again under the lock: its owner may have changed their mind, or another instance was first. */
const deleteAccount = (deps: DeletionDeps, id: string): Promise<boolean> =>
  deps.storage.transaction(async (tx) => {
    const { clock, users } = deps;
    const now = clock.now();
    const user = await users.lock(tx, id);
    if (!user?.deleteAt || user.deleteAt > now) return false;
    await remove(deps, tx, user, { reason: 'by-user' }, now);
    return true;
  });

/** Removes an account whose row is held, with all that is kept of it. */
export async function remove(
  deps: Pick<DeletionDeps, 'audit' | 'endAccess' | 'guard' | 'personal' | 'users'>,
  tx: Tx,
  user: User,
  why: { reason: string; actor?: string },
  now: Date,
): Promise<void> {
  const { audit, endAccess, guard, personal, users } = deps;
  const { id } = user;
  await endAccess(tx, id, 'deleted', now);
  for (const key of [...keysOf({ guard, users }, user), guard.subjectKey(id)].toSorted()) {
    await guard.unlockAll(tx, key);
  }
  await erase(tx, id, personal);
  await users.delete(tx, id);
  await audit.record(tx, now, [{ ...why, name: 'user.deleted', subject: id }]);
}
