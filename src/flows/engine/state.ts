import type { Task } from '../../guard/types.ts';
import type { Factor, StepPass } from '../../sessions/types.ts';
import type { User } from '../../users/types.ts';
import type { Effect, Methods, NumberPlace, Scratch, Sent } from '../method.ts';

/** A step passed, in this login or by a factor of the browser's session that counts for it. */
export interface Passed extends Factor {
  step: string;
  via: 'login' | 'session';
  /** The user wishes to go without it in this browser from now on. */
  remember?: true;
}

/** An option that the user may take now. */
export interface Offer {
  method: string;
  /** The user would set it up on the way. */
  enrol: boolean;
}

export interface Skipped {
  step: string;
  reason: 'condition' | 'remembered' | 'code-off' | 'unavailable' | 'grace';
}

/** `userId` null: a name that no account has. `name` is sealed: people type numbers and addresses. */
export interface Subject {
  userId: string | null;
  name: string | null;
  /** The name is the account's second number. */
  number?: 'second';
}

/** Where a login stands. Small, because it is written at every move; kept as JSON. */
export interface LoginState {
  subject: Subject | null;
  /** Whether the factors of the browser's session may count (not after `prompt=login` or “Not you?”). */
  counts: boolean;
  /** What the application asked for. */
  maxAgeMs: number | null;
  /** It asked itself (`max_age`) for factors that are young. */
  wantsFresh?: boolean;
  acr: string[];
  hint: string | null;
  /** In this login. What a session contributes is worked out anew each time, so that a revoked one is gone. */
  passed: Passed[];
  skipped: Skipped[];
  /** Steps that the user has left for later in this login, where nothing is set up for them yet. */
  postponed?: string[];
  /** Until when the step at hand may be left for later; null or absent: not at all. */
  graceUntil?: number | null;
  /** A factor has been passed, here or by the session. */
  proved: boolean;
  /** The step at hand; null when none is left. */
  step: string | null;
  offered: Offer[];
  /** The method at hand; null: the chooser, or nothing is offered. */
  option: string | null;
  /** The method at hand is locked for this user; `until` null: until somebody lifts it. */
  locked: { until: number | null } | null;
  /** What the browser has to do before the method's next message; gone once one was allowed. */
  challenge?: { method: string; task: Task; number?: NumberPlace } | null;
  /** A forgotten password was replaced from this login; for its page only. */
  renewed?: boolean;
  /** Why the login failed; for its last page. */
  ended: string | null;
  /** By method, while the step lasts. */
  sent: Record<string, Sent>;
  scratch: Record<string, Scratch>;
}

export type Event =
  | { type: 'start' }
  | { type: 'continue' }
  | {
      type: 'passed';
      method: string;
      subject?: Subject;
      remember?: boolean;
    }
  | { type: 'stay'; scratch: Scratch; effects: Effect[] }
  | { type: 'locked'; until: number | null }
  | { type: 'choose'; method: string }
  | { type: 'other-ways' }
  /** “Not now”: what the step would have set up is left for later. */
  | { type: 'later' }
  /** “Not you?” */
  | { type: 'restart' }
  | { type: 'cancel'; reason: string }
  | { type: 'fail'; reason: string };

/** What the engine may know besides the state; gathered before it is asked. */
export interface Facts {
  now: number;
  methods: Methods;
  /** The subject as of now. Null: nobody is identified, or no account has the name. */
  person: Person | null;
  /** The browser's session, where it is alive. */
  session: { userId: string; factors: readonly Factor[] } | null;
  /** What conditions may ask about; absent: not known. */
  app?: { id: string; firstParty: boolean };
  request?: RequestFacts;
  /** Null: this browser is not known to the subject; absent: nobody has looked. */
  device?: DeviceFacts | null;
  /** The channel by which the subject's password was replaced while the login was under way. */
  withheld?: 'sms' | 'email' | null;
  /** When the subject was first asked to set something up, by step of this flow; of steps with a grace period. */
  asked?: Readonly<Record<string, number>>;
}

/** Where a login comes from. */
export interface RequestFacts {
  ip: string | null;
  userAgent: string | null;
  country: string | null;
}

/** What the subject has really passed in this browser, of the app and the flow at hand. */
export interface DeviceFacts {
  passes: readonly StepPass[];
}

export interface Person {
  user: User;
  /** What the methods gathered, by method id. */
  own: Readonly<Record<string, unknown>>;
}

/** For the audit log. */
export interface Entry {
  name: string;
  reason?: string;
  data?: Record<string, string | number | boolean | null>;
}

export type Next =
  | { is: 'show' }
  /** Everything that applied was passed. */
  | { is: 'finish'; trail: Passed[] }
  | { is: 'end'; status: 'cancelled' | 'failed'; reason: string };

export interface Advance {
  state: LoginState;
  effects: Effect[];
  records: Entry[];
  next: Next;
}

export const firstState = (request: {
  subject: LoginState['subject'];
  counts: boolean;
  maxAgeMs: number | null;
  wantsFresh?: boolean;
  acr: string[];
  hint: string | null;
}): LoginState => ({
  ...request,
  passed: [],
  skipped: [],
  proved: false,
  step: null,
  offered: [],
  option: null,
  locked: null,
  ended: null,
  sent: {},
  scratch: {},
});
