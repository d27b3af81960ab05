import type { Fault } from '../lib/problem.ts';
import type { Guard } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { PasswordsDocument } from './settings.ts';
import type { JoinedUser } from './store.ts';

export type RecoveredBy = 'sms' | 'email' | 'link';

/** A person. The password hash never leaves the folder. */
export interface User {
  id: string;
  username: string;
  name: string | null;
  email: string | null;
  emailVerified: boolean;
  /** E.164. */
  phone: string | null;
  phoneVerified: boolean;
  /** Another number that is proved; none without a first one that is. */
  secondPhone: string | null;
  /** The user switched the message code off, and that has not run out. */
  codeOff: boolean;
  /** Until when; null: for good, or it is on. */
  codeOffUntil: Date | null;
  disabled: boolean;
  /** When a forgotten password was replaced last; null: never. */
  recoveredAt: Date | null;
  /** By what: a code on this channel, or an administrator's link. */
  recoveredBy: RecoveredBy | null;
  /** When the account is deleted, as its owner wished; null: it stays. */
  deleteAt: Date | null;
  groups: string[];
  attributes: Record<string, unknown>;
  createdAt: Date;
  hasPassword: boolean;
  passwordChangedAt: Date | null;
  /** Unused ones, when the user was read. */
  backupCodes: number;
}

export interface BackupCodes {
  /** Unused ones. */
  left(db: Db, userId: string): Promise<number>;
  /** How many the user got, used ones included, and when; null: never any. */
  made(db: Db, userId: string): Promise<{ count: number; at: Date } | null>;
  /** Uses one: a single guarded statement; of many at once exactly one gets true. Spaces and hyphens are ignored. */
  use(tx: Tx, userId: string, code: string, now: Date): Promise<boolean>;
  /**
   * Whether it is an unused code of the user, and whether any of the unused ones is short, so that guessing has to be
   * throttled more strictly. Changes nothing.
   */
  look(db: Db, userId: string, code: string): Promise<{ matches: boolean; short: boolean }>;
  /** Ten new ones (at least 50 bits each); the old ones are void. Shown once, only hashes stay. */
  create(tx: Tx, userId: string, now: Date): Promise<string[]>;
  /** An administrator's own list, any length each; short ones (under 50 bits) are flagged. */
  replace(tx: Tx, userId: string, codes: string[], now: Date): Promise<KeptCodes>;
  /** What is wrong with such a list; paths begin with `codes`. */
  faults(codes: readonly string[]): Fault[];
}

/** What became of a list: the same code twice is one. */
export interface KeptCodes {
  count: number;
  /** How many of them are short. */
  short: number;
}

/** What a user has set up to show who they are, such as an authenticator app. */
export interface Credential {
  id: string;
  /** The method that it is for. */
  type: string;
  /** What the user calls it; may be empty. */
  label: string;
  /** What is no secret about it, as its method keeps it. */
  data: Record<string, unknown>;
  createdAt: Date;
  lastUsedAt: Date | null;
}

export interface SecretCredential extends Credential {
  secret: string;
  /** The secret sealed anew, where an older key of `SECRET_KEY` had sealed it: {@link Credentials.using} keeps it. */
  renewed: string | null;
  /** The last value that was used of what only goes up (the time step of a code). */
  counter: number | null;
}

export type NewCredential = Pick<Credential, 'type' | 'label' | 'data'> & { userId: string; secret: string };

/** Credentials with sealed secrets. Only what was proved once counts. */
export interface Credentials {
  /** Those that count, the oldest first. */
  list(db: Db, userId: string, type?: string): Promise<Credential[]>;
  /** The same with their secrets. */
  open(db: Db, userId: string, type: string): Promise<SecretCredential[]>;
  /** One that has just been proved, by the value `counter`. */
  add(tx: Tx, credential: NewCredential, counter: number | null, now: Date): Promise<Credential>;
  /** One to be proved in this session until `expiresAt`; it replaces what was begun there before. */
  begin(
    tx: Tx,
    credential: NewCredential,
    until: { sessionId: string; expiresAt: Date },
    now: Date,
  ): Promise<SecretCredential>;
  /** What is begun in the session. */
  begun(
    db: Db,
    whose: { userId: string; type: string; sessionId: string },
    now: Date,
  ): Promise<SecretCredential | undefined>;
  /** Replaces `data` of one that is begun, as long as it is `from`: of many at once exactly one gets true. */
  note(tx: Tx, id: string, from: Credential['data'], to: Credential['data']): Promise<boolean>;
  /** Forgets what is begun in the session. */
  cancel(tx: Tx, whose: { userId: string; type: string; sessionId: string }): Promise<void>;
  /** It was proved: of many at once exactly one gets true. */
  confirm(tx: Tx, id: string, proof: { counter: number | null; label: string }, now: Date): Promise<boolean>;
  /** Takes a value of the counter, which must be higher than the last one: of many at once exactly one finds its row. */
  using(db: Db, credential: Pick<SecretCredential, 'id' | 'renewed'>, counter: number, now: Date): Guard;
  /** False when the user has no such credential. */
  remove(tx: Tx, userId: string, id: string, type: string): Promise<boolean>;
}

export interface NewUser {
  username: string;
  name?: string;
  email?: string;
  emailVerified?: boolean;
  phone?: string;
  phoneVerified?: boolean;
  /** Proved, like the first one. */
  secondPhone?: string;
  /** Looked up and hashed while the transaction is open: {@link Users.prepare} does that before it. */
  password?: string;
  passwordHash?: string;
  backupCodes?: string[];
  codeOff?: boolean;
  groups?: string[];
  attributes?: Record<string, unknown>;
}

export interface Users {
  findById(db: Db, id: string): Promise<User | undefined>;
  /** The user of another feature's statement, read there by `joinedUser`. */
  fromJoined(row: JoinedUser | null): User | undefined;
  /** The user as of now; until the transaction ends nobody else changes or locks the row. */
  lock(tx: Tx, id: string): Promise<User | undefined>;
  /** By username, verified e-mail address or verified phone number, the second too, as typed; normalised here. One statement. */
  findByIdentifier(db: Db, identifier: string): Promise<User | undefined>;
  /** The normal form under which `identifier` is counted and looked up, known or not. */
  normaliseIdentifier(identifier: string): string;
  /**
   * Compares outside any transaction, with a decoy for an unknown user or one without a password.
   * Rehashes in the background of the answer when the parameters have changed. Reads nothing for a `user` that
   * came from this service.
   */
  verifyPassword(db: Db, user: User | undefined, password: string): Promise<boolean>;
  /**
   * Checks a new user, looks the password up in lists of stolen ones where that is configured, and hashes it, outside
   * any transaction. Throws Problem 400 with the faults.
   * @param rules default: those in force.
   */
  prepare(user: NewUser, rules?: PasswordsDocument): Promise<NewUser>;
  /** Throws Problem 400 with the faults (weak password, taken or misshapen username, …). */
  create(tx: Tx, user: NewUser, now: Date): Promise<User>;
  /**
   * Checks a new password like {@link Users.prepare} and hashes it, outside any transaction, for
   * {@link Users.setPassword}.
   * Throws `PasswordRefused`, a Problem 400 with the fault.
   * @param aloneIn ids of flows in which nothing else is asked of the user; default: none.
   */
  preparePassword(
    password: string,
    user: { username: string; email: string | null },
    aloneIn?: string[],
  ): Promise<string>;
  /** What the person is called. */
  /** Goes with what a verified password leads to: finds no row when the password was changed since `user` was read. */
  holdingPassword(db: Db, user: User): Guard;
  setName(tx: Tx, userId: string, name: string | null, now: Date): Promise<void>;
  /** @param passwordHash from {@link Users.preparePassword}. Throws Problem 404 for no such user. */
  setPassword(tx: Tx, userId: string, passwordHash: string, now: Date): Promise<void>;
  /** Throws Problem 409 `phone_taken` when another account has proven the number. */
  setVerifiedPhone(tx: Tx, userId: string, phone: string, now: Date): Promise<void>;
  /** The second number takes the place of the first, where there is one. */
  removePhone(tx: Tx, userId: string, now: Date): Promise<void>;
  /** For a number that was proved. Throws Problem 409 `phone_taken` like {@link Users.setVerifiedPhone}. */
  setSecondPhone(tx: Tx, userId: string, phone: string, now: Date): Promise<void>;
  removeSecondPhone(tx: Tx, userId: string, now: Date): Promise<void>;
  /** The two numbers change places. Throws Problem 404 where there are no two. */
  swapPhones(tx: Tx, userId: string, now: Date): Promise<void>;
  setCodeOff(tx: Tx, userId: string, off: boolean, until: Date | null, now: Date): Promise<void>;
  setDisabled(tx: Tx, userId: string, disabled: boolean, now: Date): Promise<void>;
  /** Nobody signs in by a password until there is a new one. */
  removePassword(tx: Tx, userId: string, now: Date): Promise<void>;
  /** A forgotten password is replaced. @param passwordHash from {@link Users.preparePassword}. */
  recover(
    tx: Tx,
    userId: string,
    recovered: { passwordHash: string; by: RecoveredBy },
    now: Date,
  ): Promise<void>;
  /** The account is to be deleted then; null: it stays. */
  setDeletion(tx: Tx, userId: string, at: Date | null, now: Date): Promise<void>;
  /** Accounts that were to be deleted by now, in the order in which their time has come. */
  dueForDeletion(db: Db, limit: number, now: Date): Promise<string[]>;
  /** With all that this folder keeps of the user. */
  delete(tx: Tx, userId: string): Promise<void>;
  backupCodes: BackupCodes;
  credentials: Credentials;
}
