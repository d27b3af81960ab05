import type { Db, Tx } from '../storage/types.ts';

/** An application (relying party) as its document says, every default filled in. */
export interface App {
  /** The client_id. */
  id: string;
  name: string;
  /** True without a secret. */
  public: boolean;
  /** Keyed-by-nothing SHA-256 hashes (hex) of the live client secrets, at most two. */
  secretHashes: string[];
  tokenEndpointAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'none';
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  firstParty: boolean;
  pkce: 'required' | 'optional';
  grantTypes: ('authorization_code' | 'refresh_token')[];
  /** Scopes that it may ask for. */
  scopes: string[];
  idTokenSignedResponseAlg: 'ES256' | 'RS256';
  /** Id of the flow that its users pass. */
  flow: string;
  /** Own login pages: origin and path on the same site as the issuer; null for the hosted ones. */
  loginUrl: string | null;
  home: string | null;
  logoUrl: string | null;
  helpContact: string | null;
  privacyUrl: string | null;
  termsUrl: string | null;
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
