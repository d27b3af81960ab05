import type { FastifyPluginAsync } from 'fastify';
import type Provider from 'oidc-provider';
import type { Apps } from '../apps/types.ts';
import type { Crypto, SigningKeys } from '../crypto/types.ts';
import type { Flows } from '../flows/types.ts';
import type { Http } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { EndedSession, Session, Sessions } from '../sessions/types.ts';
import type { Storage, Tx } from '../storage/types.ts';
import type { Users } from '../users/types.ts';
import type { FetchDocument } from './adapters/documents.ts';
import type { SendForm } from './logout/back-channel.ts';

export type { AppPage } from './developers/app-page.ts';

export interface OidcDeps {
  /** Origin without a path: every URL that is given out starts with it, whatever the request's Host says. */
  issuer: URL;
  storage: Storage;
  crypto: Crypto;
  keys: Pick<SigningKeys, 'load'>;
  clock: Clock;
  log: Logger;
  http: Http;
  apps: Apps;
  users: Users;
  sessions: Sessions;
  flows: Flows;
  /** For public keys of apps that have them at a URL. */
  fetchDocument: FetchDocument;
  /** Sends a logout token to an app, within the rules for addresses. */
  sendForm: SendForm;
  /** Between two looks for apps that are to be told of a logout; default two seconds. */
  lookEveryMs?: number;
  /** How long a session may last at most, in milliseconds; the browser forgets its cookie then. */
  sessionLifeMs(): number;
}

export interface Oidc {
  /** All routes: the protocol's endpoints at the issuer's root, and the consent page. */
  plugin: FastifyPluginAsync;
  /** To be called in each transaction that ends sessions: their apps are told afterwards. */
  sessionsEnded(tx: Tx, sessions: EndedSession[]): Promise<void>;
  /** The library itself, for what is called outside its endpoints. */
  provider(): Provider;
}

/** A session with what OpenID Connect keeps beside it. */
export interface BrowserSession {
  session: Session;
  authorizations: Record<string, unknown>;
}

/** What the library keeps between the question of a logout and its answer. */
export interface LogoutState {
  secret: string;
  clientId?: string;
  state?: string;
  postLogoutRedirectUri?: string;
}
