import type { Apps } from '../apps/types.ts';
import type { Audit, AuditEvent } from '../audit/types.ts';
import type { Settings } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import type { Delivery } from '../delivery/types.ts';
import type { Authenticators, Flows, ScreenChallenge } from '../flows/types.ts';
import type { Guard } from '../guard/types.ts';
import type { Http } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { RandomSource } from '../lib/ids.ts';
import type { Text } from '../lib/texts.ts';
import type { Notices } from '../notices/types.ts';
import type { Otp } from '../otp/types.ts';
import type { Devices, Session, Sessions } from '../sessions/types.ts';
import type { Storage, Tx } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';

export interface AccountDeps {
  issuer: URL;
  storage: Storage;
  crypto: Crypto;
  clock: Clock;
  random: RandomSource;
  http: Http;
  settings: Settings;
  audit: Audit;
  apps: Apps;
  users: Users;
  guard: Guard;
  delivery: Pick<Delivery, 'draft' | 'has' | 'send' | 'state' | 'verifying' | 'words'>;
  otp: Otp;
  sessions: Sessions;
  devices: Devices;
  flows: Flows;
  authenticators: Authenticators;
  /** Ends the codes and tokens of one session of a user, or of all others. */
  endTokens(
    tx: Tx,
    userId: string,
    which: { sessionId: string } | { exceptSessionId: string },
  ): Promise<void>;
  notices: Notices;
  /** Everything that is kept of a user, without what opens anything. */
  exportData(user: User, now: Date): Promise<Record<string, unknown>>;
}

/** Who looks after their account, and in which session. */
export interface Visitor {
  user: User;
  session: Session;
}

/** For the record of events: who does it and from where. */
export type By = Pick<AuditEvent, 'appId' | 'sessionId' | 'ip' | 'userAgent'>;

/** One request of a visitor. */
export interface Visit extends Visitor {
  locale: string;
  now: Date;
  by: By;
  /** Those members of the address that are texts. */
  params: Record<string, string>;
  query: Record<string, string>;
  /** What had been typed when a fresh sign-in was asked for: the members that `keeps` names. */
  typed: Record<string, string>;
  /** The guard's id of this browser, where the user has signed in with it before. */
  deviceId: string | null;
  /** Which of the user's remembered devices this browser is. */
  rememberedId: string | null;
}

/** A form that was sent; its token and where it came from are checked. Members are trimmed, but for passwords. */
export interface Submitted extends Visit {
  body: Record<string, string>;
}

export interface Notice {
  tone: 'info' | 'success' | 'warning' | 'error';
  text: Text;
}

export interface AccountPage {
  /** Template below `views/`: `account/password`. It begins with `{{#> account}}`. */
  view: string;
  title: Text;
  /** What the template shows; beside it `frame` with the form's `token`. */
  data: object;
  /** Answers a failed try: the title then says so. */
  error?: boolean;
  status?: number;
  notices?: Notice[];
  /** What its policy for scripts has to allow besides. */
  challenge?: ScreenChallenge | undefined;
}

export type Answer =
  /** After a POST too, for what is shown once. Never stored by anybody. */
  | { page: AccountPage }
  /** A path below /account; `done` is said there. */
  | { to: string; done?: Text }
  | { file: { name: string; type: string; content: string } };

export interface Card {
  title: Text;
  state: Text;
  action: { label: Text; href: string } | null;
}

export interface GetOptions {
  /** Only with a fresh second factor, for pages that show what nobody else may see. */
  sensitive?: boolean;
}

export interface PostOptions {
  /** Asks for a second factor that was passed within the last ten minutes. */
  sensitive: boolean;
  /** Gives the user a factor: who has no second one may do so by the password alone only where the settings say so. */
  enrols?: boolean;
  /** Where its form stands, from where one goes on after signing in. Default: the same path. */
  page?: string;
  /** Members of the form that come back to it after signing in. Never a secret. */
  keeps?: readonly string[];
}

/** Routes below /account/, by paths without a slash in front: `sessions`, `sessions/:id/revoke`. */
export interface AreaRoutes {
  get(path: string, handler: (visit: Visit) => Promise<Answer>, options?: GetOptions): void;
  post(path: string, options: PostOptions, handler: (visit: Submitted) => Promise<Answer>): void;
}

/** One part of the account: its card on the overview and its pages. */
export interface Area {
  id: string;
  /** Null: it says nothing to this user. */
  card(visitor: Visitor, locale: string): Promise<Card | null>;
  routes(area: AreaRoutes): void;
}
