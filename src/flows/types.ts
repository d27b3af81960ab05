import type { App } from '../apps/types.ts';
import type { CaptchaKind } from '../guard/types.ts';
import type { Text } from '../lib/texts.ts';
import type { Factor, Session } from '../sessions/types.ts';
import type { Guard } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { User } from '../users/types.ts';

/** A flow as its document says, every default filled in. */
export interface Flow {
  id: string;
  name: string;
  /** Id of the version this is. */
  versionId: string;
  steps: Step[];
}

export interface Step {
  id: string;
  options: Option[];
  userMayDisable: boolean;
  onUnavailable: 'enrol' | 'skip' | 'fail';
  /** A session's factor older than this does not satisfy the step; null: the session's life. */
  maxAgeMs: number | null;
}

export interface Option {
  /** Id of a registered method. */
  method: string;
  /** The method's own settings, defaults filled in. */
  settings: Record<string, unknown>;
}

/** One input of a form. `name` is part of the operator's interface. */
export interface Field {
  name: 'username' | 'password' | 'code' | 'phone' | 'country' | 'channel';
  type: 'text' | 'password' | 'code' | 'tel' | 'select';
  label: Text;
  autocomplete: string;
  inputmode?: 'numeric' | 'text' | 'tel' | 'email';
  /** What stands in it, where that is safe. */
  value?: string;
  error?: Text;
  required: boolean;
  /** Pre-selects the field for typing. */
  focus?: boolean;
  /** Shown but not editable (the user name above the password). */
  readonly?: boolean;
  maxLength?: number;
  /** For `code`: how many characters fill it. */
  length?: number;
  /** For `select`. */
  choices?: { value: string; label: Text | string }[];
  /** A quiet link beside the label (“Forgot password?”). */
  link?: { label: Text; href: string };
}

/** A named submit: posts `action=<name>`. */
export interface Action {
  name: string;
  label: Text;
  /** `primary`: the one filled button; `choice`: a row of a chooser; `link`: quiet, below. */
  style: 'primary' | 'secondary' | 'choice' | 'link';
  /** A second line on a choice (“to ••••• 67”). */
  detail?: Text;
  /** Milliseconds since the epoch; until then the button is disabled and says the seconds. */
  enabledAt?: number;
  /** Submits without the browser's check of required fields. */
  skipsValidation: boolean;
}

export interface Notice {
  tone: 'info' | 'success' | 'warning' | 'error';
  text: Text;
}

/** `proof` of work: a decimal number with which SHA-256 of `salt:number` begins with so many zero bits. */
export type ScreenChallenge =
  | { kind: 'proof-of-work'; salt: string; bits: number }
  | { kind: CaptchaKind; siteKey: string; script: string; widget: string };

/** What one step shows, as a plain value: the HTML page and the JSON API both render it. */
export interface Screen {
  /** `password`, `sms-otp`, `choose`, `locked`, `no-way-on`, … */
  name: string;
  heading: Text;
  sentence?: Text;
  fields: Field[];
  actions: Action[];
  notices: Notice[];
  /** What the browser does by itself, or shows, before `prove` is posted with `proof`. */
  challenge?: ScreenChallenge;
  /** Where one is, when there is more than one step. 1-based. */
  progress: { current: number; total: number } | null;
  /** The login's version: a POST that carries an older one is answered with the present screen. */
  version: number;
  /** Server time of this screen, milliseconds since the epoch; countdowns start from it. */
  at: number;
}

/** Where a finished login goes on, as data. */
export type Continuation =
  | { kind: 'oidc'; resumeUrl: string; payload: Record<string, unknown> }
  | { kind: 'local'; path: string };

/** What a finished login established. `sessionId` is the row in `sessions`. */
export interface LoginResult {
  userId: string;
  sessionId: string;
  amr: string[];
  acr: string;
  /** Milliseconds since the epoch. */
  authTime: number;
}

/** The row of a login as the surfaces that started it see it. */
export interface LoginRecord {
  id: string;
  appId: string;
  status: 'running' | 'finished' | 'cancelled' | 'failed';
  continuation: Continuation;
  result: LoginResult | null;
  expiresAt: Date;
  /** Who was identified in it, as of now. */
  user: User | undefined;
}

export interface StartLogin {
  app: App;
  continuation: Continuation;
  /** SHA-256 of the continuation's own secret (oidc: the interaction uid), to find the login by. */
  continuationKey: string | null;
  /** The browser's session, whose factors may satisfy steps. */
  session: Session | undefined;
  /** `prompt=login`: nothing of the session counts. */
  fresh: boolean;
  /** OpenID `max_age`, milliseconds. */
  maxAgeMs: number | null;
  /** OpenID `acr_values`, in the order of preference. */
  acr: string[];
  loginHint: string | null;
  locale: string;
  ip: string;
  userAgent: string | null;
}

export interface Flows {
  /** Inserts the login. Sends nothing. `binding` is the secret for the browser's cookie (path = `url`'s path). */
  start(db: Db, request: StartLogin, now: Date): Promise<{ loginId: string; path: string; binding: string }>;
  findByContinuation(db: Db, continuationKey: string): Promise<LoginRecord | undefined>;
  /** Single use: of many statements exactly one finds the login. Goes with what the login was for. */
  consuming(db: Db, loginId: string): Guard;
  /** Whether the session is enough for the app now: every step satisfied or rightly not asked; else a login is due. */
  satisfies(
    db: Db,
    request: { session: Session; user: User; app: App; acr: string[]; maxAgeMs: number | null },
    now: Date,
  ): Promise<boolean>;
  /** `acr` and `amr` of a set of factors. */
  describe(factors: Factor[]): { acr: string; amr: string[] };
}
