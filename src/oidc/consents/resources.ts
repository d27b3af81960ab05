import { type Client, errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { Api, App, Apps } from '../../apps/types.ts';
import type { Db } from '../../storage/types.ts';
import { claims as claimsByScope } from '../accounts.ts';

/** Seconds. A JWT cannot be called back, so it lives shorter than a token that is looked up. */
const lifetimes = { jwt: 900, opaque: 3600 };

/** The APIs that an app may name (RFC 8707), and what its tokens for them are like. */
export function createResources({ db, apps }: { db: Db; apps: Apps }) {
  async function apiOf(clientId: string, audience: unknown): Promise<Api | undefined> {
    const app = await apps.find(db, clientId);
    return app?.resources.find((api) => api.audience === audience);
  }

  return {
    /** Throws InvalidTarget for an API that the app was not registered for. */
    async getResourceServerInfo(
      _context: KoaContextWithOIDC,
      audience: string,
      client: Client,
    ): Promise<ResourceServer> {
      const api = await apiOf(client.clientId, audience);
      if (!api) throw new errors.InvalidTarget('this app may not ask for that resource');
      return {
        scope: api.scopes.join(' '),
        audience,
        accessTokenFormat: api.tokenFormat,
        accessTokenTTL: lifetimes[api.tokenFormat],
        ...(api.tokenFormat === 'jwt' && {
          jwt: { sign: { alg: client.idTokenSignedResponseAlg === 'RS256' ? 'RS256' : 'ES256' } },
        }),
      };
    },

    /**
     * Without a user there is nothing else that a token could be for, so an app's only API need not be named.
     * Otherwise a token without a named API is for userinfo.
     */
    async defaultResource(
      { oidc }: KoaContextWithOIDC,
      client: Client,
      oneOf?: readonly string[],
    ): Promise<string | string[] | undefined> {
      if (oneOf) return [...oneOf];
      if (oidc.params?.grant_type !== 'client_credentials') return undefined;
      const audiences =
        (await apps.find(db, client.clientId))?.resources.map(({ audience }) => audience) ?? [];
      if (audiences.length === 1) return audiences[0];
      throw new errors.InvalidTarget('name one of the APIs as resource');
    },

    /** Whether an API asks about one of its own tokens. */
    async isForApi(
      token: { aud?: unknown; clientId?: string | undefined },
      apiClient: string,
    ): Promise<boolean> {
      if (token.aud === undefined || token.clientId === undefined) return false;
      return (await apiOf(token.clientId, token.aud))?.client === apiClient;
    },
  };
}

export type Resources = ReturnType<typeof createResources>;

/** What an authorization asks for: scopes of OpenID Connect, claims by name, and scopes of APIs. */
export interface Wishes {
  scopes: string[];
  claims: string[];
  /** By API. */
  resources: Record<string, string[]>;
}

/** Always there, and about the login itself: no consent is needed for these. */
const ungated = new Set<string>([...claimsByScope.openid, 'sid', 'iss']);

/** The scopes that bring a claim. */
export const scopesOfClaim = (claim: string): string[] =>
  Object.entries(claimsByScope)
    .filter(([, names]) => names.includes(claim))
    .map(([scope]) => scope);

/** Claims that an app may name in the `claims` parameter: those of the scopes that it may ask for. */
export function permittedClaims(app: Pick<App, 'scopes'>, names: Iterable<string>): string[] {
  const scopes = new Set(app.scopes);
  return [...names].filter(
    (name) => ungated.has(name) || scopesOfClaim(name).some((scope) => scopes.has(scope)),
  );
}

export const needsConsent = (claim: string): boolean => !ungated.has(claim);

/** How scopes of APIs stand in a stored consent, beside those of OpenID Connect: none of these holds a blank. */
export const apiScope = (audience: string, scope: string): string => `${audience} ${scope}`;
