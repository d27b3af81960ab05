import type { FastifyPluginAsync } from 'fastify';
import type Provider from 'oidc-provider';
import type { Apps } from '../apps/types.ts';
import type { Crypto, SigningKeys } from '../crypto/types.ts';
import type { Flows } from '../flows/types.ts';
import type { Http } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Session, Sessions } from '../sessions/types.ts';
import type { Storage } from '../storage/types.ts';
import type { Users } from '../users/types.ts';

export interface OidcDeps {
  /** Origin without a path: every URL that is given out starts with it, whatever the request's Host says. */
  issuer: URL;
  storage: Storage;
  crypto: Crypto;
  keys: SigningKeys;
  clock: Clock;
  log: Logger;
  http: Http;
  apps: Apps;
  users: Users;
  sessions: Sessions;
  flows: Flows;
  /** How long a session may last at most, in milliseconds; the browser forgets its cookie then. */
  sessionLifeMs(): number;
}

export interface Oidc {
  /** All routes: the protocol's endpoints at the issuer's root, and the consent page. */
  plugin: FastifyPluginAsync;
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
