import type { RawBuilder } from 'kysely';
import type { Rider } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { Challenges } from './challenge.ts';
import type { Decision, DecisionContext } from './sends/decisions.ts';

export type { CaptchaKind, Task } from './challenge.ts';

/** Throttling of tries and sends. Subjects are keyed hashes, known users or not, so that counting tells nothing. */
export interface Guard extends Challenges {
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
  /**
   * Success, together with what it leads to: lowers the step by one, and ends the run of consecutive failures; the last
   * 24 hours stay counted.
   */
  succeeding(db: Db, subjectKey: string, factor: string): Rider;
  /** Lifts a lock (administrator, recovery); of `password` the waits too. */
  unlock(db: Db, subjectKey: string, factor: string): Promise<void>;
  /** Lifts every lock and wait of a subject, as if nobody had ever tried anything. */
  unlockAll(db: Db, subjectKey: string): Promise<void>;
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
   * May a message be sent now? Every rule has to say yes. Counts it per number, user, address, network, destination and
   * budget; refused costs nothing. A factor that is locked (`lock`) is refused by the rule `lock`, in the same statement.
   */
  allowSend(request: SendRequest, now: Date): Promise<SendAnswer>;
  /**
   * What is known of the number elsewhere, where somebody is asked about numbers: whether it forbids a message that was
   * allowed otherwise. May take as long as that answer. A challenge is too late here: such rules only record.
   */
  lookUp(request: SendRequest, now: Date): Promise<SendAnswer>;
  /** Writes down what was decided, together with what it leads to. */
  recordingSend(db: Db, answer: Pick<SendAnswer, 'about' | 'decisions'>, now: Date): Rider[];
  /** The code of a message was verified: such messages count against no address, prefix or country. Goes with its use. */
  verifyingSend(db: Db, verified: VerifiedSend): Rider;
  /** The user went on by another factor: these messages do not count against their countries. */
  sendNotNeeded(
    sent: { country: string; sentAt: Date; count: number; loginId: string | null }[],
  ): Promise<void>;
  /** What a message has cost, as its gateway reports it: the budgets that it counted against are set right with that. */
  correctingSpend(db: Db, paid: PaidSend): Rider[];
  /** A known browser's cookie value after `userId` has logged in; `previous` is its value before, unchecked. */
  deviceToken(userId: string, previous: string | undefined): string;
  /** The browser's id if this user has logged in with it before (at most five users are kept), else null. */
  readDevice(token: string | undefined, userId: string): string | null;
}

/** A message that somebody asks for. */
export interface SendRequest {
  /** Under what the number is counted; a name as typed where the number must not be told. */
  numberHash: string;
  /** E.164, for rules about destinations; null: they do not apply. */
  number?: string | null;
  userId: string | null;
  ip: string | null;
  /** The address has been counted already. */
  addressCounted?: boolean;
  /** The browser, if this user has signed in with it before: it has limits of its own instead of its address's. */
  deviceId?: string | null;
  lock?: { subjectKey: string; factor: string };
  appId?: string | null;
  channel?: string;
  loginId?: string | null;
  /** The browser has passed a challenge for this message, or has waited instead. */
  passed?: 'proof' | 'waited' | null;
  /** Nobody has proved anything, and the browser is unknown. */
  firstContact?: boolean;
  /** Whoever asks may be kept waiting: how long it takes tells nobody anything. */
  mayWait?: boolean;
  /** It carries the code of a message that did not arrive, without anybody asking for it. */
  followUp?: boolean;
}

/** A message whose price has been told. */
export interface PaidSend {
  /** E.164 */
  number: string;
  appId: string | null;
  channel: string;
  /** When it was asked for. */
  at: Date;
  /** A decimal number: `0.0333`. */
  amount: string;
  currency: string;
}

/** Messages of one login whose code was typed. */
export interface VerifiedSend {
  ip: string;
  deviceId?: string | null;
  number?: string | null;
  loginId?: string | null;
  /** When the newest was asked for. */
  sentAt?: Date | null;
  /** How many were sent. */
  count?: number;
  /** How many of them to this number; default: all. */
  toNumber?: number;
}

export type SendAnswer = {
  about: DecisionContext;
  decisions: Decision[];
  /** ISO 3166, `ZZ` for a number of no country; null where destinations do not count. */
  country: string | null;
} & (
  | { allowed: true }
  /** `challenge`: it may be sent once the browser has passed one. `retryAt` null: not in this login. */
  | {
      allowed: false;
      rule: string;
      challenge: boolean;
      retryAt: Date | null;
      /** Messages from the same place that nobody has used, as far as they were looked at. */
      pressure: number;
    }
);

export type Allowed = { allowed: true } | { allowed: false; retryAt: Date; rule: string };
