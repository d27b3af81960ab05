import type { Db, Tx } from '../storage/types.ts';
import type { PasswordsDocument } from './settings.ts';
import type { JoinedUser } from './store.ts';

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
  /** The user switched the message code off, and that has not run out. */
  codeOff: boolean;
  disabled: boolean;
  groups: string[];
  attributes: Record<string, unknown>;
  hasPassword: boolean;
  /** Unused ones, when the user was read. */
  backupCodes: number;
}

export interface BackupCodes {
  /** Unused ones. */
  left(db: Db, userId: string): Promise<number>;
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
  replace(tx: Tx, userId: string, codes: string[], now: Date): Promise<void>;
}

export interface NewUser {
  username: string;
  name?: string;
  email?: string;
  emailVerified?: boolean;
  phone?: string;
  phoneVerified?: boolean;
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
  /** By username, verified e-mail address or verified phone number, as typed; normalised here. One statement. */
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
   * Throws Problem 400 with the fault.
   */
  preparePassword(password: string, user: { username: string; email: string | null }): Promise<string>;
  /** @param passwordHash from {@link Users.preparePassword}. Throws Problem 404 for no such user. */
  setPassword(tx: Tx, userId: string, passwordHash: string, now: Date): Promise<void>;
  /** Throws Problem 409 `phone_taken` when another account has proven the number. */
  setVerifiedPhone(tx: Tx, userId: string, phone: string, now: Date): Promise<void>;
  setCodeOff(tx: Tx, userId: string, off: boolean, until: Date | null, now: Date): Promise<void>;
  setDisabled(tx: Tx, userId: string, disabled: boolean, now: Date): Promise<void>;
  backupCodes: BackupCodes;
}
