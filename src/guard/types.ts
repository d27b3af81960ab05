import type { RawBuilder } from 'kysely';
import type { Rider } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';

/** Throttling of tries and sends. Subjects are keyed hashes, known users or not, so that counting tells nothing. */
export interface Guard {
  /** The counter key of an identifier as typed and normalised: the same form whether or not a user has it. */
  subjectKey(normalisedIdentifier: string): string;
  /** Until when this factor is locked for the subject, or null. See `isUntilLifted` for locks without an end. */
  lockedUntil(db: Db, subjectKey: string, factor: string, now: Date): Promise<Date | null>;
  /** {@link lockedUntil} as a value of another statement. */
  locking(subjectKey: string, factor: string, now: Date): RawBuilder<Date | null>;
  /**
   * Counts a failed try of the factor; committed by itself. Every `limit` failures lock it for 5, 10, 20, 40 …
   * minutes; 100 consecutive ones lock it until an administrator or a recovery lifts it.
   */
  failed(
    db: Db,
    subjectKey: string,
    factor: string,
    now: Date,
    /** `strict`: for secrets that are easier to guess; it locks in half as many tries, and for good after 20. */
    options?: { strict?: boolean },
  ): Promise<{ lockedUntil: Date | null }>;
  /** Success: lowers the step by one, and ends the run of consecutive failures; the last 24 hours stay counted. */
  succeeded(db: Db, subjectKey: string, factor: string, now: Date): Promise<void>;
  /** {@link succeeded} as a part of another statement. */
  succeeding(db: Db, subjectKey: string, factor: string): Rider;
  /** Lifts a lock (administrator, recovery); of `password` the waits too. */
  unlock(db: Db, subjectKey: string, factor: string): Promise<void>;
  /**
   * May a password be tried now? Counts the try, per account and per address with growing delay; a known device
   * has its own budget. Never sleeps: refuses with the moment at which to come back.
   */
  allowPassword(
    request: { subjectKey: string; ip: string; deviceId: string | null },
    now: Date,
  ): Promise<Allowed>;
  /** The right password gives the try back, together with what it leads to. */
  passingPassword(request: { subjectKey: string; ip: string; deviceId: string | null }, now: Date): Rider;
  /**
   * May a message be sent now? Counts it per number, user and address; refused costs nothing. `ip` null: the address
   * has been counted already. A factor that is locked (`lock`) is refused by the rule `lock`, in the same statement.
   */
  allowSend(
    request: {
      numberHash: string;
      userId: string | null;
      ip: string | null;
      lock?: { subjectKey: string; factor: string };
    },
    now: Date,
  ): Promise<Allowed>;
  /** The code of a message was verified: sends to verified numbers do not count against the address. */
  sendVerified(request: { ip: string }, now: Date): Promise<void>;
  /** {@link sendVerified} as a part of another statement. */
  verifyingSend(db: Db, request: { ip: string }): Rider;
  /** A known browser's cookie value after `userId` has logged in; `previous` is its value before, unchecked. */
  deviceToken(userId: string, previous: string | undefined): string;
  /** The browser's id if this user has logged in with it before (at most five users are kept), else null. */
  readDevice(token: string | undefined, userId: string): string | null;
}

export type Allowed = { allowed: true } | { allowed: false; retryAt: Date; rule: string };
