import type { Crypto } from '../crypto/types.ts';
import type { Channel, Delivery, MessageState } from '../delivery/types.ts';
import type { Guard } from '../guard/types.ts';
import type { RandomSource } from '../lib/ids.ts';
import type { Fault } from '../lib/problem.ts';
import type { TSchema } from '../lib/schema.ts';
import type { Catalogue, Text } from '../lib/texts.ts';
import type { Otp, OtpSettings } from '../otp/types.ts';
import type { MethodKind } from '../sessions/types.ts';
import type { Guard as Once, Rider } from '../storage/index.ts';
import type { Counters, Db, Tx } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import type { Action, Field, Figure, Notice, Recovery } from './types.ts';

/**
 * One way of showing who one is, as one value in one file. What the engine asks of it ({@link Method.available},
 * {@link Method.begin}) and what is shown ({@link Method.screen}) is pure; only `gather` and `check` read.
 */
export interface Method {
  id: string;
  kind: MethodKind;
  /** RFC 8176 values of a pass. */
  amr: readonly string[];
  /** True when passing it establishes who the user is, so that a flow may begin with it. */
  identifies: boolean;
  /** The channel that its codes go out by; switching the code off removes exactly these methods. */
  channel: Channel | null;
  /** True when a user without it could set it up in the login. */
  enrols: boolean;
  /** What a flow document may say about it. Every member optional. */
  options: TSchema;
  /** What the schema cannot say about valid options. Paths name the member. */
  faults?(settings: Record<string, unknown>): Fault[];
  /** What its form or JSON body accepts: an object of strings. */
  input: TSchema;
  texts: Catalogue;
  /** How it is offered in a chooser and as a link of the other options. */
  label: Text;
  /** What {@link Method.available} needs from the database beyond the user, read before the engine is asked. */
  gather?(services: Pick<Services, 'users'>, db: Db, user: User): Promise<unknown>;
  /** Pure. Asked only after a factor was passed: before that everything is offered to everyone alike. */
  available(ask: Ask): Availability;
  /** Pure. What is to happen on entering it by a POST. */
  begin?(entry: Entry): Effect[];
  /** What its page shows to another device while the user sets it up; read or unsealed for this one answer. */
  figure?(services: Services, context: FigureContext): Promise<Figure | null>;
  /** Pure. */
  screen(view: View): MethodScreen;
  /** Looks at what was typed. Reserves tries and counts failures by committed statements; moves nothing on. */
  check(context: CheckContext, input: Input): Promise<CheckResult>;
}

/** `enrol`: the user could set it up now; `no`: with a reason for the record. */
export type Availability = { is: 'yes' } | { is: 'enrol' } | { is: 'no'; reason: string };

export interface Ask {
  settings: Record<string, unknown>;
  user: User;
  /** What `gather` answered. */
  fact: unknown;
}

/** What a method keeps for itself while its step lasts, as JSON. Secrets and numbers only sealed. */
export type Scratch = Record<string, unknown>;

/** One of the two proved numbers that a user may have. */
export type NumberPlace = 'first' | 'second';

/** The last message that a step sent, or did not. */
export interface Sent {
  /** Null when nothing was issued. */
  codeId: string | null;
  /** Milliseconds since the epoch. */
  at: number;
  /** Codes issued in this step so far. */
  count: number;
  /** Of the effect that issued it. */
  suffix: string;
  /** Of the destination; null before a factor was passed, where nothing may tell whether a number exists. */
  last2: string | null;
  /** Where its messages are counted by the guard; null: nowhere. */
  country?: string | null;
  /** Which of the user's two numbers it went to; absent: there is one, or none. */
  number?: NumberPlace;
  /** How many of the codes went to that one of late. */
  here?: number;
  /** Why the last request to send was refused, and until when (milliseconds; null: for the rest of the login). */
  refused: { reason: string; until: number | null; number?: NumberPlace } | null;
}

export interface Entry {
  settings: Record<string, unknown>;
  /** Null for a name that no account has. */
  user: User | null;
  /** True when the user has yet to set it up. */
  enrol: boolean;
  proved: boolean;
  /** The number that the user is named by here; the first where the name is another one. */
  named: NumberPlace;
  sent: Sent | null;
  scratch: Scratch;
  now: number;
}

export interface FigureContext {
  settings: Record<string, unknown>;
  user: User;
  loginId: string;
  scratch: Scratch;
}

/** Issue a code and send it; done by the shell after the engine has decided. */
export interface Effect {
  type: 'send-code';
  method: string;
  channel: Channel;
  purpose: 'login-code' | 'enrol-code' | 'reset-code';
  /** E.164 or an address; null: everything but the message itself happens, for a name that no account has. */
  to: string | null;
  /** Which of the user's numbers that is, where there are two. */
  number?: NumberPlace;
  /** Sets the code apart from others of the same step (another number): it verifies nothing else. */
  suffix: string;
  settings: Record<string, unknown>;
}

export interface View {
  settings: Record<string, unknown>;
  /** Instance-wide defaults with the option's own settings over them. */
  codes(settings: Record<string, unknown>): OtpSettings;
  /** The name that stands for the user here, as typed. */
  name: string | null;
  /** The application's hint of who it will be. */
  hint: string | null;
  enrol: boolean;
  proved: boolean;
  scratch: Scratch;
  sent: Sent | null;
  /** What became of the last message; null while unknown or when it may not be told. */
  delivery: MessageState | null;
  /** Shown again after a mistake; only what is safe. */
  typed: Record<string, string>;
  now: number;
  locale: string;
  /** No other method of this step is open to the user. */
  alone: boolean;
  /** What `gather` answered; undefined before a factor was passed, when nothing may be told of the user. */
  fact: unknown;
  /** What {@link Method.figure} answered. */
  figure?: Figure | null;
  /** Who has forgotten the password may replace it; default: no. */
  recovers?: boolean;
  /** A forgotten password was replaced from here, and this login goes on with the new one. */
  renewed?: boolean;
}

export interface MethodScreen {
  heading: Text;
  sentence?: Text;
  figure?: Figure | null;
  fields: Field[];
  /** The primary one first. */
  actions: Action[];
  notices: Notice[];
}

/** The form's members, trimmed where that is harmless. */
export interface Input {
  /** `submit` unless a named button was pressed. */
  action: string;
  values: Record<string, string>;
}

/** What the methods reach the world by. */
export interface Services {
  db: Db;
  counters: Counters;
  crypto: Crypto;
  random: RandomSource;
  /** What the gateway calls itself. */
  gateway(): string;
  users: Users;
  guard: Guard;
  otp: Otp;
  /** Tells delivery that its message was of use; knows whether gateways make codes themselves. */
  delivery: Pick<Delivery, 'verifying' | 'keepsCodes'>;
  codes(settings: Record<string, unknown>): OtpSettings;
  /** Absent where forgotten passwords are not replaced. */
  recovery?: Recovery | undefined;
}

export interface CheckContext {
  services: Services;
  settings: Record<string, unknown>;
  loginId: string;
  /** Scope of the codes of this step; `suffix` as in {@link Effect}. */
  scope(suffix: string): string;
  /**
   * Under which tries are counted and locks are told: the user once a factor was passed, before that the name as typed,
   * whether or not an account has it. Null while nobody is identified.
   */
  subjectKey: string | null;
  /** The identified user, read afresh; null for a name that no account has, or while nobody is identified. */
  user: User | null;
  /** The name that was typed before, if one was. */
  name: string | null;
  enrol: boolean;
  proved: boolean;
  /** As in {@link Entry}. */
  named: NumberPlace;
  scratch: Scratch;
  sent: Sent | null;
  /** Methods that were passed in this login. */
  passed: readonly string[];
  locale: string;
  ip: string;
  /** The browser's known-device id for the identifier, see guard. */
  deviceOf(userId: string): string | null;
  now: Date;
}

export interface Pass {
  is: 'pass';
  /** For methods that identify: who it is now; `user` null is a name that no account has. */
  subject?: { user: User | null; name: string };
  /** What this uses up, with the move itself. One that finds no row: someone else was first. */
  guards?: Once[];
  /** What takes more than one statement, in the transaction that moves the login on. False: someone else was first. */
  commit?(tx: Tx): Promise<boolean>;
  /** What the user is told when someone else was first. */
  lost?: Text;
  /** What the user is told when `commit` throws a Problem with a 4xx status (the number belongs to somebody). */
  refusal?: { reason: string; text: Text };
  /** What else is true then, written with the move itself. */
  riders?(db: Db): Rider[];
  /** Once all of it is written; must not throw. */
  after?(): void;
  /** Something that the audit log should say besides the pass. */
  events?: { name: string; data?: Record<string, string | number | boolean | null> }[];
}

export type CheckResult =
  | Pass
  /** Wrong; the same page again with a sentence. */
  | {
      is: 'retry';
      reason: string;
      text: Text;
      field?: Field['name'];
      retryAt?: Date;
      /** False for an empty field or a misshapen number: nothing was tried. */
      tried: boolean;
    }
  /** Goes on in the same place, perhaps with a message to send. */
  | { is: 'stay'; scratch: Scratch; effects: Effect[] }
  /** This factor is locked for this user. Null: until somebody lifts it. */
  | { is: 'locked'; until: Date | null }
  /** Ends the login. */
  | { is: 'fail'; reason: string };

export type Methods = ReadonlyMap<string, Method>;
