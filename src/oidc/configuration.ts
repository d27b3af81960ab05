import {
  type Client,
  type ClientAuthMethod,
  type Configuration,
  type ErrorOut,
  errors,
  type KoaContextWithOIDC,
  type SigningAlgorithm,
} from 'oidc-provider';
import type { SigningKey } from '../crypto/types.ts';
import type { Http } from '../http/types.ts';
import { claims } from './accounts.ts';
import { refreshTokenDue } from './adapters/artifacts.ts';
import { type OwnMembers, ownMembers, scopes } from './adapters/clients.ts';
import { interactionSeconds } from './pending.ts';

/** What the parts contribute; the rest of the configuration is fixed. */
export type Parts = Required<
  Pick<Configuration, 'adapter' | 'findAccount' | 'loadExistingGrant' | 'interactions'>
> & {
  renderError(context: KoaContextWithOIDC, out: ErrorOut, error: unknown): Promise<void>;
  logoutSource(context: KoaContextWithOIDC): Promise<void>;
  postLogoutSuccessSource(context: KoaContextWithOIDC): Promise<void>;
  /** Seconds that the session's cookie may still live. */
  sessionSeconds(): number;
  /** Whether the account behind a token can still be used. */
  isActive(accountId: string): Promise<boolean>;
};

/** Seconds. A refresh token is renewed with each use, so an app that is used monthly stays connected. */
const lifetimes = { code: 60, accessToken: 3600, idToken: 3600, refreshToken: 30 * 86_400 };

const signing: SigningAlgorithm[] = ['ES256', 'RS256'];
const authMethods: ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post', 'none'];

/** Assurance levels that tokens name: one factor, two different kinds, phishing-resistant with user verification. */
const acrValues = ['urn:sallyport:acr:1', 'urn:sallyport:acr:2', 'urn:sallyport:acr:2-phr'];

export const logoutPath = '/session/end';

export const routes = {
  authorization: '/authorize',
  token: '/token',
  jwks: '/jwks',
  userinfo: '/userinfo',
  revocation: '/revoke',
  introspection: '/introspect',
  end_session: logoutPath,
};

/** The library's settings: what this gateway offers, and nothing that it does not. */
export function configurationOf(parts: Parts, keys: SigningKey[], cookies: Http['cookies']): Configuration {
  const { adapter, findAccount, loadExistingGrant, interactions, renderError } = parts;
  const cookie = { httpOnly: true, sameSite: 'lax' } as const;
  return {
    adapter,
    findAccount,
    loadExistingGrant,
    interactions,
    renderError,
    routes,
    jwks: { keys: keys.map(({ kid, alg, privateJwk }) => ({ ...privateJwk, kid, alg, use: 'sig' })) },
    scopes: [...scopes],
    claims,
    acrValues,
    responseTypes: ['code'],
    clientAuthMethods: authMethods,
    // A secret is kept as a hash, and the hash must never become the key of a signature.
    enabledJWA: { idTokenSigningAlgValues: signing },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraClientMetadata: { properties: [...ownMembers] },
    cookies: {
      names: {
        session: cookies.name('sp-session', 'host'),
        interaction: cookies.name('sp-consent', 'path'),
        resume: cookies.name('sp-resume', 'path'),
      },
      long: cookie,
      short: cookie,
    },
    pkce: { required: (_context, client) => (client as OwnMembers).pkce !== 'optional' },
    // Checked when all standard parameters have been: the library drops the scope without `prompt=consent`.
    extraParams: { scope: keepOfflineAccess } as NonNullable<Configuration['extraParams']>,
    allowOmittingSingleRegisteredRedirectUri: false,
    clockTolerance: 5,
    rotateRefreshToken: true,
    issueRefreshToken: async (_context, client, source) => refreshTokenDue(client, source),
    clientBasedCORS: (_context, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    ttl: {
      AccessToken: lifetimes.accessToken,
      AuthorizationCode: lifetimes.code,
      IdToken: lifetimes.idToken,
      RefreshToken: lifetimes.refreshToken,
      Interaction: interactionSeconds,
      Session: () => parts.sessionSeconds(),
    },
    features: featuresOf(parts),
  };
}

function featuresOf(parts: Parts): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    resourceIndicators: { enabled: false },
    revocation: {
      enabled: true,
      allowedPolicy: async (_context, client, token) => {
        if (token.clientId === client.clientId) return true;
        throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
      },
    },
    introspection: {
      enabled: true,
      // An app learns about its own tokens only; a public one proves nothing by naming itself.
      allowedPolicy: async (_context, client, token) =>
        client.clientAuthMethod !== 'none' &&
        token.clientId === client.clientId &&
        (!('accountId' in token) || token.accountId === undefined || (await parts.isActive(token.accountId))),
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: parts.logoutSource,
      postLogoutSuccessSource: parts.postLogoutSuccessSource,
    },
  };
}

/**
 * OpenID Connect Core, section 11, lets other conditions than a consent page permit offline access: for the operator's
 * own apps it is that they may refresh and ask for it.
 */
async function keepOfflineAccess(
  context: KoaContextWithOIDC,
  _value: string | undefined,
  client: Client,
): Promise<void> {
  const asked = String(context.query.scope ?? '').split(' ');
  const params = context.oidc.params;
  if (!params || !(client as OwnMembers).first_party || !asked.includes('offline_access')) return;
  const allowed = String(client.scope ?? '')
    .split(' ')
    .includes('offline_access');
  if (!allowed || !client.grantTypeAllowed('refresh_token')) return;
  params.scope = [...new Set([...String(params.scope ?? '').split(' '), 'offline_access'])].join(' ').trim();
}
