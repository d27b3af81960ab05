import { demoCredentials } from '../config/index.ts';
import type { Crypto, Passwords } from '../crypto/types.ts';
import type { Clock } from '../lib/clock.ts';
import { newId, type RandomSource, systemRandom } from '../lib/ids.ts';
import { Problem } from '../lib/problem.ts';
import type { Tx } from '../storage/types.ts';
import { createBackupCodes } from './backup-codes.ts';
import type { BreachCheck } from './breach-check.ts';
import { readIdentifier } from './identifiers.ts';
import { createPasswordCheck } from './password-check.ts';
import { faultOfPassword, stolen } from './password-rules.ts';
import { rowOf, userOf } from './rows.ts';
import { faultsOf } from './rules.ts';
import type { PasswordsDocument } from './settings.ts';
import {
  claimPhone,
  findUser,
  findUserByIdentifier,
  insertUser,
  lockUser,
  readJoined,
  takenColumns,
  type UserChange,
  type UserRead,
  type UserRow,
  updateUser,
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
    if (await isBreached(password, rules)) throw invalidUser([{ path: 'password', message: stolen }]);
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
    async preparePassword(password, user) {
      const own = [user.username, user.email ?? user.username];
      const message = faultOfPassword(password, { own, demo });
      if (message !== null) throw invalidUser([{ path: 'password', message }]);
      return hashNew(password);
    },
    setPassword: (tx, id, passwordHash, now) =>
      change(tx, id, { password_hash: passwordHash, password_changed_at: now }, now),
    async setVerifiedPhone(tx, id, phone, now) {
      if (!(await claimPhone(tx, id, phone, now))) throw phoneTaken();
    },
    setCodeOff: (tx, id, off, until, now) =>
      change(tx, id, { code_off: off, code_off_until: off ? until : null }, now),
    setDisabled: (tx, id, disabled, now) => change(tx, id, { disabled_at: disabled ? now : null }, now),
    backupCodes,
  };
}

/** Throws Problem 400 that names what is already somebody's. */
async function insertNew(tx: Tx, row: UserRow): Promise<void> {
  if (await insertUser(tx, row)) return;
  const taken = await takenColumns(tx, {
    username: row.username_key,
    email: row.email_verified ? row.email_key : null,
    phone: row.phone_verified ? row.phone : null,
  });
  throw invalidUser(taken.map((path) => ({ path, message: 'already belongs to another user' })));
}

async function change(tx: Tx, id: string, values: UserChange, now: Date): Promise<void> {
  if (await updateUser(tx, id, { ...values, updated_at: now })) return;
  throw new Problem({ status: 404, code: 'user_not_found', message: 'There is no such user.' });
}

const invalidUser = (errors: { path: string; message: string }[]): Problem =>
  new Problem({ status: 400, code: 'invalid_user', message: 'The user cannot be saved like this.', errors });

const phoneTaken = (): Problem =>
  new Problem({
    status: 409,
    code: 'phone_taken',
    message: 'This phone number already belongs to another account.',
  });
