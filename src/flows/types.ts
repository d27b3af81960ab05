import type { FastifyRequest } from 'fastify';
import type { App } from '../apps/types.ts';
import type { CaptchaKind } from '../guard/types.ts';
import type { Text } from '../lib/texts.ts';
import type { Factor, Session } from '../sessions/types.ts';
import type { Guard } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { RecoveredBy, User } from '../users/types.ts';
import type { Condition } from './conditions/condition.ts';

export type { Authenticator, Authenticators, By, Confirmed } from './authenticators/service.ts';

/** A flow as its document says, every default filled in. */
export interface Flow {
  id: string;
  name: string;
  /** Id of the version this is. */
  versionId: string;
  /** Its number, as people speak of it; 0 for a document that is not saved. */
  version: number;
  steps: Step[];
}

export interface Step {
  id: string;
  options: Option[];
  userMayDisable: boolean;
  onUnavailable: 'enrol' | 'skip' | 'fail';
  /** Whom and when it is asked of; null: always, of everyone. */
  when: Condition | null;
  /** How long a browser in which it was passed may go without, where the user wishes; null: not at all. */
  rememberMs: number | null;
  /** How long after the first time of asking a user may put off setting one up; null: not at all. */
  graceMs: number | null;
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
  name: 'username' | 'password' | 'code' | 'phone' | 'country' | 'channel' | 'remember';
  /** `checkbox`: posts `on` when it is ticked; `value` is then `on` or empty. */
  type: 'text' | 'password' | 'code' | 'tel' | 'select' | 'checkbox';
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
  /** A quiet submit beside the label (“Forgot password?”); it posts `action=<name>` alone. */
  link?: { label: Text; name: string };
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

/**
 * A picture for the camera of another device, beside the fields; the same as a link for this device, and as a text for
 * typing. Holds a secret: shown to whom it is for, and kept nowhere.
 */
export interface Figure {
  /** What a camera reads in it. */
  href: string;
  /** Side of the square with its quiet zone, in modules. */
  size: number;
  /** Outline of the dark modules, as the path of an SVG. */
  path: string;
  /** What it is, for those who do not see it. */
  alt: Text;
  /** Label of the link. */
  open: Text;
  typing: { label: Text; value: string };
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
  /** People are told to ask for help: the page names whom. */
  asks?: boolean;
  figure?: Figure | null;
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
  /** It replaces a forgotten password and begins no session: the login that it was for goes on, or starts. */
  | { kind: 'recovery'; path: string; login: string | null }
  | { kind: 'oidc'; resumeUrl: string; payload: Record<string, unknown> }
  | {
      kind: 'local';
      path: string;
      /** Where to without success; default: where the application's users start. */
      otherwise?: string;
      /** For the surface that started it. */
      payload?: Record<string, unknown>;
    };

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

/** What a request tells of the browser that sent it. What is absent is not known. */
export interface Browser {
  ip: string;
  userAgent: string | null;
  /** ISO 3166, from the header of a trusted proxy. */
  country?: string | null | undefined;
  /** The cookie by which the guard knows browsers. */
  deviceCookie?: string | undefined;
  /** The cookie of browsers that may go without a step. */
  rememberedCookie?: string | undefined;
}

export interface StartLogin extends Browser {
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
}

/** Replaces a forgotten password, with all that follows from it. */
export interface Recovery {
  /**
   * Checks and hashes the password, outside any transaction. Throws PasswordRefused. `write` in a transaction: false when
   * the account has gone or was switched off meanwhile. `send` after the commit: whoever the account belongs to is told.
   */
  prepare(
    user: User,
    reset: {
      password: string;
      by: RecoveredBy;
      locale: string;
      ip: string | null;
      /** The run that it is the end of. */
      loginId: string | null;
    },
    now: Date,
  ): Promise<{ write(tx: Tx): Promise<boolean>; send(): void }>;
}

export interface Demand {
  app: App;
  /** Ids of all methods that a login may ask for. */
  methods: string[];
  /** Whether users may switch the message code off; null: none is asked for. */
  codeOff: 'allowed' | 'refused' | null;
}

export interface Loss {
  app: App;
  /** `required`: it would be a way around what the app asks of everybody. `locked-out`: the user could not sign in. */
  why: 'required' | 'locked-out';
}

export interface Flows {
  /** Inserts the login. Sends nothing. `binding` is the secret for the browser's cookie (path = `url`'s path). */
  start(db: Db, request: StartLogin, now: Date): Promise<{ loginId: string; path: string; binding: string }>;
  findByContinuation(db: Db, continuationKey: string): Promise<LoginRecord | undefined>;
  /** Single use: of many statements exactly one finds the login. Goes with what the login was for. */
  consuming(db: Db, loginId: string): Guard;
  /** What the request tells of its browser, for {@link StartLogin} and {@link Flows.satisfies}. */
  browser(request: FastifyRequest): Browser;
  /**
   * Whether the session is enough for the app now: every step satisfied or rightly not asked; else a login is due.
   * Without a `browser`, steps that ask about it apply.
   */
  satisfies(
    db: Db,
    request: {
      session: Session;
      user: User;
      app: App;
      acr: string[];
      maxAgeMs: number | null;
      browser?: Browser;
    },
    now: Date,
  ): Promise<boolean>;
  /** Ids of the flows of enabled apps that this user could finish by the password alone. */
  passwordAlone(db: Db, user: User): Promise<string[]>;
  /** What these apps ask their users for. */
  demands(db: Db, apps: readonly App[]): Promise<Demand[]>;
  /** Of these apps those that go badly with a user who has given `method` up. `user`: as it is without it. */
  losses(db: Db, apps: readonly App[], user: User, method: string): Promise<Loss[]>;
  /** `acr` and `amr` of a set of factors. */
  describe(factors: Factor[]): { acr: string; amr: string[] };
}
