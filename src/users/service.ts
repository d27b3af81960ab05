import { demoCredentials } from '../config/index.ts';
import type { Crypto, Passwords } from '../crypto/types.ts';
import type { Clock } from '../lib/clock.ts';
import { newId, type RandomSource, systemRandom } from '../lib/ids.ts';
import { Problem } from '../lib/problem.ts';
import type { Tx } from '../storage/types.ts';
import { createBackupCodes } from './backup-codes.ts';
import type { BreachCheck } from './breach-check.ts';
import { changes } from './changes.ts';
import { createCredentials } from './credentials/service.ts';
import { readIdentifier } from './identifiers.ts';
import { createPasswordCheck } from './password-check.ts';
import { PasswordRefused, weaknessOf } from './password-rules.ts';
import { isSomebodys, isTaken } from './phones/store.ts';
import { rowOf, userOf } from './rows.ts';
import { faultsOf } from './rules.ts';
import type { PasswordsDocument } from './settings.ts';
import {
  deleteUser,
  findDue,
  findUser,
  findUserByIdentifier,
  holdingPassword,
  insertUser,
  lockUser,
  readJoined,
  takenMembers,
  type UserRead,
  type UserRow,
} from './store.ts';
import type { NewUser, User, Users } from './types.ts';

export interface UsersDeps {
  crypto: Crypto;
  passwords: Passwords;
  clock: Clock;
  log: { error(details: object, message: string): void };
  random?: RandomSource;
  /** The demo runs: its credentials count. Default false. */
  demo?: boolean;
  /** Default: no password is looked up. */
  isBreached?: BreachCheck;
}

export function createUsers(deps: UsersDeps): Users {
  const { passwords, clock, log, random = systemRandom, demo = false, isBreached = async () => false } = deps;
  const passwordCheck = createPasswordCheck({ passwords, clock, log, demo });
  const refused = demo ? [] : demoCredentials.backupCodes;
  const backupCodes = createBackupCodes({ crypto: deps.crypto, random, refused });

  function toUser(row: UserRead | undefined): User | undefined {
    if (row === undefined) return undefined;
    const user = userOf(row, clock.now());
    passwordCheck.remember(user, row.password_hash);
    return user;
  }

  async function prepare(user: NewUser, rules?: PasswordsDocument): Promise<NewUser> {
    const faults = faultsOf(user, { passwords, demo });
    if (faults.length > 0) throw invalidUser(faults);
    const { password, ...rest } = user;
    return password === undefined ? rest : { ...rest, passwordHash: await hashNew(password, rules) };
  }

  /** Throws Problem 400 when the password is known to be stolen. */
  async function hashNew(password: string, rules?: PasswordsDocument): Promise<string> {
    if (await isBreached(password, rules)) throw new PasswordRefused('stolen');
    return passwords.hash(password);
  }

  return {
    findById: async (db, id) => toUser(await findUser(db, id)),
    fromJoined: (row) => (row === null ? undefined : toUser(readJoined(row))),
    lock: async (tx, id) => toUser(await lockUser(tx, id)),
    findByIdentifier: async (db, identifier) =>
      toUser(await findUserByIdentifier(db, readIdentifier(identifier))),
    normaliseIdentifier: (identifier) => readIdentifier(identifier).key,
    verifyPassword: passwordCheck.verify,
    prepare,
    async create(tx, user, now) {
      const prepared = await prepare(user);
      const id = newId('usr', random);
      await insertNew(tx, rowOf(prepared, id, now));
      if (prepared.backupCodes) await backupCodes.replace(tx, id, prepared.backupCodes, now);
      return toUser(await findUser(tx, id)) as User;
    },
    async preparePassword(password, user, aloneIn = []) {
      const own = [user.username, user.email ?? user.username];
      const weakness = weaknessOf(password, { own, demo, aloneIn });
      if (weakness !== null) throw new PasswordRefused(weakness, aloneIn);
      return hashNew(password);
    },
    holdingPassword: (_db, { id, passwordChangedAt }) => holdingPassword(id, passwordChangedAt),
    ...changes,
    dueForDeletion: findDue,
    delete: deleteUser,
    backupCodes,
    credentials: createCredentials({ crypto: deps.crypto, random }),
  };
}

/** Throws Problem 400 that names what is already somebody's. */
async function insertNew(tx: Tx, row: UserRow): Promise<void> {
  const numbers = [row.phone_verified ? row.phone : null, row.second_phone].flatMap((number) => number ?? []);
  if (!(await isSomebodys(tx, numbers)) && (await inserted(tx, row))) return;
  const taken = await takenMembers(tx, row);
  throw invalidUser(taken.map((path) => ({ path, message: 'already belongs to another user' })));
}

/** A number that somebody proves at this very moment, at the other of its places, is only met by the insert itself. */
async function inserted(tx: Tx, row: UserRow): Promise<boolean> {
  try {
    return await insertUser(tx, row);
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw invalidUser([{ path: 'phone', message: 'already belongs to another user' }]);
  }
}

const invalidUser = (errors: { path: string; message: string }[]): Problem =>
  new Problem({ status: 400, code: 'invalid_user', message: 'The user cannot be saved like this.', errors });
