import type { RawBuilder } from 'kysely';
import type { KeptElsewhere } from '../delivery/types.ts';
import type { Guard, Rider } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';

/** How codes are made; a flow's options over the instance-wide `otp` defaults of gateway.yaml. */
export interface OtpSettings {
  /** 4 to 10 characters. */
  length: number;
  alphabet: 'numeric' | 'alphanumeric';
  /** At most 10 minutes (NIST SP 800-63B). */
  expiresMs: number;
  /** Tries per code, at most 5. */
  attempts: number;
  resendAfterMs: number;
  /** Sends per login beyond the first. */
  resends: number;
}

export interface IssuedCode {
  challengeId: string;
  codeId: string;
  /** In clear, once: for the message. */
  code: string;
  expiresAt: Date;
}

/** `expiresAt`: the end of what the scope stands for. */
export interface IssueRequest {
  scope: string;
  userId: string | null;
  settings: OtpSettings;
  expiresAt: Date;
}

export interface Challenge {
  id: string;
  sends: number;
  lastSentAt: Date | null;
  /** Tries left for the live code(s), never more than the login's whole budget leaves. */
  triesLeft: number;
  /** The newest live code. */
  codeId: string | null;
  codeExpiresAt: Date | null;
}

export interface Candidate {
  codeId: string;
  hash: string;
  expiresAt: Date;
  /** Gateways that made a code of their own for it; null: there is only ours. */
  kept: KeptElsewhere | null;
}

export type Reservation =
  /** A try is spent; compare with these. */
  | {
      status: 'reserved';
      challengeId: string;
      triesLeft: number;
      /** What each of `counting` came to. */
      counts: number[];
      candidates: Candidate[];
    }
  | { status: 'exhausted' }
  | { status: 'locked'; until: Date }
  | { status: 'none' };

export type Reserved = Extract<Reservation, { status: 'reserved' }>;

/** One-time codes bound to a scope (`login:<id>:<step>`): they work in no other. */
export interface Otp {
  /**
   * Makes a code. The older one stays valid until {@link Otp.accepted} is told of the new one.
   * `expiresAt` is the end of what the scope stands for (the login): no code outlives it, and its rows go then.
   * Answers why not when the server's send interval or the number of sends forbids it: one guarded statement.
   */
  issue(
    tx: Tx,
    request: IssueRequest,
    now: Date,
  ): Promise<IssuedCode | { refused: 'too-soon'; retryAt: Date } | { refused: 'too-many' }>;
  /**
   * The first code of a scope, as parts of another statement: the guard finds no row when the scope has one already, and
   * then {@link Otp.issue} decides.
   */
  first(db: Db, request: IssueRequest, now: Date): { issued: IssuedCode; guard: Guard; riders: Rider[] };
  find(db: Db, scope: string, settings: OtpSettings, now: Date): Promise<Challenge | null>;
  /** A gateway took the newer code's message: older codes die and tries start anew (the login's total stays). */
  accepting(db: Db, codeId: string, now: Date): Rider;
  /** Whether the code could be passed with at this moment: neither used, nor replaced, nor run out. */
  isLive(db: Db, codeId: string, now: Date): Promise<boolean>;
  /** The message of this code surely never went out. */
  dropping(db: Db, codeId: string, now: Date): Rider;
  /** No code that a user was sent is right any more: it may have gone to a phone that is somebody else's by now. */
  killingAll(db: Db, userId: string, now: Date): Rider;
  /**
   * Spends a try by one committed statement, before anything is compared. `lock`: until when nothing may be tried at
   * all, as a value of that statement; then no try is spent. `counting`: what else counts a try that is spent, each
   * answering its `total`.
   */
  reserve(
    db: Db,
    scope: string,
    settings: OtpSettings,
    beside?: {
      lock: RawBuilder<Date | null>;
      counting: ((spent: RawBuilder<boolean>) => Rider)[];
    },
  ): Promise<Reservation>;
  /** Pure, constant-time. The code id that matches, or why none does; nobody else is asked. */
  match(reservation: Reserved, typed: string, now: Date): { codeId: string } | 'wrong' | 'expired';
  /**
   * The same, and asks gateways about codes that they keep, outside of any transaction; the one try is for all of it.
   * `gone`: of a gateway's code it is known only that it is of no more use. `unchecked`: nobody knows.
   */
  check(
    reservation: Reserved,
    typed: string,
    now: Date,
  ): Promise<{ codeId: string } | 'wrong' | 'expired' | 'gone' | 'unchecked'>;
  /** Single use, together with what the code is for: the guard finds no row when the code was used, and siblings die. */
  consuming(db: Db, codeId: string, now: Date): { guard: Guard; riders: Rider[] };
}
