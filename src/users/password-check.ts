import type { Passwords } from '../crypto/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Db } from '../storage/types.ts';
import { isDemoPassword } from './password-rules.ts';
import { findUser, replacePasswordHash } from './store.ts';
import type { User } from './types.ts';

export interface PasswordCheck {
  /** Keeps the hash of a user who is handed out, so that checking the password needs no second read. */
  remember(user: User, hash: string | null): void;
  verify(db: Db, user: User | undefined, password: string): Promise<boolean>;
}

export function createPasswordCheck(deps: {
  passwords: Passwords;
  clock: Clock;
  log: { error(details: object, message: string): void };
  demo: boolean;
}): PasswordCheck {
  const { passwords, clock, log, demo } = deps;
  const hashes = new WeakMap<User, string | null>();

  async function storedHash(db: Db, user: User | undefined): Promise<string | null> {
    if (user === undefined) return null;
    const known = hashes.get(user);
    return known === undefined ? ((await findUser(db, user.id))?.password_hash ?? null) : known;
  }

  async function rehash(db: Db, userId: string, from: string, password: string): Promise<void> {
    try {
      await replacePasswordHash(db, userId, from, await passwords.hash(password), clock.now());
    } catch (error) {
      log.error({ err: error, userId }, 'a password could not be hashed anew');
    }
  }

  return {
    remember: (user, hash) => void hashes.set(user, hash),
    async verify(db, user, password) {
      const stored = await storedHash(db, user);
      const { ok, rehash: outdated } = await passwords.verify(stored, password);
      if (!ok || user === undefined || stored === null) return false;
      if (!demo && isDemoPassword(password)) return false;
      if (outdated) void rehash(db, user.id, stored, password);
      return true;
    },
  };
}
