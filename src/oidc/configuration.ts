import {
  type AsymmetricSigningAlgorithm,
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
import { allowsOrigin, type OwnMembers, ownMembers, scopes } from './adapters/clients.ts';
import { longestDocument } from './adapters/documents.ts';
import type { Resources } from './consents/resources.ts';
import { type createDevicePages, deviceAuthorizationPath, devicePath } from './devices/pages.ts';
import { interactionSeconds } from './pending.ts';
import { checkAssertionLife, keepOfflineAccess } from './requests.ts';

/** What the parts contribute; the rest of the configuration is fixed. */
export type Parts = Required<
  Pick<Configuration, 'adapter' | 'findAccount' | 'loadExistingGrant' | 'interactions'>
> & {
  renderError(context: KoaContextWithOIDC, out: ErrorOut, error: unknown): Promise<void>;
  logoutSource(context: KoaContextWithOIDC): Promise<void>;
  postLogoutSuccessSource(context: KoaContextWithOIDC): Promise<void>;
  /** Seconds that the session's cookie may still live. */
  sessionSeconds(): number;
  resources: Resources;
  fetch: NonNullable<Configuration['fetch']>;
  /** 32 bytes, the same on every instance: a nonce that one has given counts at the others. */
  nonceSecret: Buffer;
  nowSeconds(): number;
  devicePages: ReturnType<typeof createDevicePages>;
  /** What stands in `sub` for an app; throws AccessDenied when the account has no such thing. */
  subjectOf(appId: string, userId: string): Promise<string>;
  /** Whether the account behind a token can still be used. */
  isActive(accountId: string): Promise<boolean>;
};

/** Seconds. A refresh token is renewed with each use, so an app that is used monthly stays connected. */
const lifetimes = { code: 60, device: 600, accessToken: 3600, idToken: 3600, refreshToken: 30 * 86_400 };

/** How long what our keys have signed may be in use. */
export const longestTokenMs = Math.max(lifetimes.accessToken, lifetimes.idToken) * 1000;

const signing: SigningAlgorithm[] = ['ES256', 'RS256'];
const authMethods: ClientAuthMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
];

/** What apps may sign with: nothing symmetric (a secret is known here by its hash only), and never "none". */
const appSigning: AsymmetricSigningAlgorithm[] = [
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
  ...(['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const),
];

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
  pushed_authorization_request: '/request',
  end_session: logoutPath,
  device_authorization: deviceAuthorizationPath,
  code_verification: devicePath,
};

/** A secret is kept as a hash, and the hash must never become the key of a signature. */
const algorithms: NonNullable<Configuration['enabledJWA']> = {
  idTokenSigningAlgValues: signing,
  clientAuthSigningAlgValues: appSigning,
  requestObjectSigningAlgValues: appSigning,
  dPoPSigningAlgValues: appSigning,
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
    fetch: parts.fetch,
    fetchResponseBodyLimits: { jwks_uri: longestDocument },
    jwks: { keys: keys.map(({ kid, alg, privateJwk }) => ({ ...privateJwk, kid, alg, use: 'sig' })) },
    scopes: [...scopes],
    claims,
    acrValues,
    responseTypes: ['code'],
    clientAuthMethods: authMethods,
    enabledJWA: algorithms,
    assertJwtClientAuthClaimsAndHeader: (context, claims) =>
      checkAssertionLife(context, claims, parts.nowSeconds()),
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: (_context, userId, client) => parts.subjectOf(client.clientId, userId),
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
    clientBasedCORS: (_context, origin, client) => allowsOrigin(origin, client.redirectUris ?? []),
    ttl: {
      AccessToken: (_context, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      ClientCredentials: (_context, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      AuthorizationCode: lifetimes.code,
      DeviceCode: lifetimes.device,
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
    dPoP: { enabled: true, nonceSecret: parts.nonceSecret },
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: { enabled: true },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: parts.resources.getResourceServerInfo,
      defaultResource: parts.resources.defaultResource,
      // Few libraries name the API once more when they exchange the code.
      useGrantedResource: () => true,
    },
    revocation: {
      enabled: true,
      allowedPolicy: async (_context, client, token) => {
        if (token.clientId === client.clientId) return true;
        throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
      },
    },
    introspection: {
      enabled: true,
      // An app learns about its own tokens, an API about those for itself; a public one proves nothing by its name.
      allowedPolicy: async (_context, client, token) =>
        client.clientAuthMethod !== 'none' &&
        (token.clientId === client.clientId || (await parts.resources.isForApi(token, client.clientId))) &&
        (!('accountId' in token) || token.accountId === undefined || (await parts.isActive(token.accountId))),
    },
    deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...parts.devicePages },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: parts.logoutSource,
      postLogoutSuccessSource: parts.postLogoutSuccessSource,
    },
  };
}
