import type { JWK } from 'jose';
import type { Db, Tx } from '../storage/types.ts';
import type { SessionLimits } from './limits.ts';

export type { SessionLimits } from './limits.ts';

/** An API for which an app may get access tokens. */
export interface Api {
  /** What is sent as `resource`, and the `aud` of the token. */
  audience: string;
  name: string;
  scopes: string[];
  tokenFormat: 'jwt' | 'opaque';
  /** Id of the app as which the API asks about opaque tokens. */
  client: string | null;
}

/** An application (relying party) as its document says, every default filled in. */
export interface App {
  /** The client_id. */
  id: string;
  name: string;
  /** True when it cannot prove itself: it has neither secret nor keys. */
  public: boolean;
  /** Keyed-by-nothing SHA-256 hashes (hex) of the live client secrets, at most two. */
  secretHashes: string[];
  tokenEndpointAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  /** Its public keys, or where they are; both null when it has none. */
  jwks: { keys: JWK[] } | null;
  jwksUri: string | null;
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  firstParty: boolean;
  pkce: 'required' | 'optional';
  grantTypes: ('authorization_code' | 'refresh_token' | 'client_credentials')[];
  responseModes: ('query' | 'fragment' | 'form_post')[];
  /** It may ask for authorizations only by pushing the request first (RFC 9126). */
  requirePushedAuthorizationRequests: boolean;
  /** It gets only tokens that are bound to a key (RFC 9449). */
  dpopBoundAccessTokens: boolean;
  resources: Api[];
  /** Scopes that it may ask for. */
  scopes: string[];
  idTokenSignedResponseAlg: 'ES256' | 'RS256';
  /** Id of the flow that its users pass; empty for an app without users. */
  flow: string;
  /** Own login pages: origin and path on the same site as the issuer; null for the hosted ones. */
  loginUrl: string | null;
  home: string | null;
  logoUrl: string | null;
  helpContact: string | null;
  privacyUrl: string | null;
  termsUrl: string | null;
  /** Who its users are to it: the same as to every app, or an identifier that no other app's can be matched with. */
  subjectType: 'public' | 'pairwise';
  /** What it knows its users by, in place of an identifier of ours; null for that. */
  subjectClaim: 'preferred_username' | 'email' | 'phone_number' | null;
  /** Further claims, by name: which of a user's members each one tells. */
  claims: Record<string, string>;
  /** Where the app begins a sign-in by itself (OpenID Connect Core, section 4). */
  initiateLoginUri: string | null;
  /** Where it is told that a session has ended. */
  backchannelLogoutUri: string | null;
  /** May that address stand in a private network. */
  allowPrivateNetwork: boolean;
  /** May devices without a browser of their own ask for it. */
  deviceFlow: boolean;
  /** Limits of a session for this app, shorter than those of everyone. */
  sessions?: SessionLimits;
  enabled: boolean;
}

export interface Apps {
  /** From a cache checked against the `apps` revision: normally no query. */
  find(db: Db, id: string): Promise<App | undefined>;
  list(db: Db): Promise<App[]>;
  /** Creates or replaces; bumps the revision. */
  save(tx: Tx, document: unknown, now: Date): Promise<void>;
  remove(tx: Tx, id: string): Promise<void>;
}
