import type { Recovery } from '../flows/types.ts';
import type { Guard } from '../guard/types.ts';
import type { Notices } from '../notices/types.ts';
import { sendRiders } from '../storage/index.ts';
import type { Db, Storage, Tx } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import type { EndAccess } from './types.ts';

export interface RecoveryDeps {
  storage: Storage;
  users: Users;
  guard: Pick<Guard, 'subjectKey' | 'unlock'>;
  notices: Notices;
  endAccess: EndAccess;
  /** Ids of the flows that the user could finish by the password alone. */
  passwordAlone(db: Db, user: User): Promise<string[]>;
}

/** Replaces a forgotten password: by a code, or by an administrator's link. */
export function createRecovery(deps: RecoveryDeps): Recovery {
  const { endAccess, guard, notices, passwordAlone, storage, users } = deps;
  return {
    async prepare(user, { by, ip, locale, loginId, password }, now) {
      const alone = await passwordAlone(storage.db, user);
      const passwordHash = await users.preparePassword(password, user, alone);
      // Whoever reads the channel that the code came by is the one who has done it.
      const notice = { kind: 'recovered' as const, locale, ip, ...(by !== 'link' && { notTo: by }) };
      const told = await notices.drafting(storage.db, user, notice, now);
      return {
        async write(tx) {
          const present = await users.lock(tx, user.id);
          if (!present || present.disabled) return false;
          await users.recover(tx, user.id, { passwordHash, by }, now);
          await endAccess(tx, user.id, 'recovered', now, loginId);
          await unlockPassword({ guard, users }, tx, present);
          if (told.riders.length > 0) await sendRiders(tx, told.riders);
          return true;
        },
        send: told.send,
      };
    },
  };
}

/** The tries of a password are counted by each name that its account goes by. */
export async function unlockPassword(
  { guard, users }: Pick<RecoveryDeps, 'guard' | 'users'>,
  tx: Tx,
  user: User,
): Promise<void> {
  for (const key of keysOf({ guard, users }, user)) await guard.unlock(tx, key, 'password');
}

/** Under what tries of this account are counted, in the order in which everybody takes their rows. */
export function keysOf(
  { guard, users }: { guard: Pick<Guard, 'subjectKey'>; users: Users },
  user: User,
): string[] {
  const names = [
    user.username,
    user.emailVerified ? user.email : null,
    user.phoneVerified ? user.phone : null,
    user.secondPhone,
  ];
  return names
    .flatMap((name) => (name === null ? [] : guard.subjectKey(users.normaliseIdentifier(name))))
    .toSorted();
}
