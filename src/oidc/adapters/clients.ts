import { createHash } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { Adapter, AdapterPayload, Client } from 'oidc-provider';
import { isRegisteredRedirect, takesAnyPort } from '../../apps/index.ts';
import type { App, Apps } from '../../apps/types.ts';
import { secretsMatch } from '../../lib/secrets.ts';
import type { Db } from '../../storage/types.ts';
import { unsupported } from './artifacts.ts';

/** Every scope that is understood. Apps may ask for those in their own list. */
export const scopes = ['openid', 'profile', 'email', 'phone', 'groups', 'offline_access'] as const;

/** Members of an app that our own rules look at, carried along by the library. */
export const ownMembers = ['first_party', 'pkce', 'own_subjects', 'pairwise'] as const;

export interface OwnMembers {
  first_party?: boolean;
  pkce?: App['pkce'];
  /** Its `sub` is not our id of the user. */
  own_subjects?: boolean;
  pairwise?: boolean;
}

/** Stands where an app has no live secret: no hash looks like it, so nothing matches. */
const noSecret = '-';

/** Loopback and custom-scheme addresses belong to installed apps (RFC 8252, section 7). */
const isNative = (app: App): boolean =>
  app.redirectUris.some(
    (uri) =>
      !['http:', 'https:'].includes(new URL(uri).protocol) || (app.public && takesAnyPort(new URL(uri))),
  );

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

function metadataOf(app: App): AdapterPayload {
  const known = new Set<string>(scopes);
  const payload: AdapterPayload & OwnMembers = {
    client_id: app.id,
    client_name: app.name,
    application_type: isNative(app) ? 'native' : 'web',
    redirect_uris: app.redirectUris,
    post_logout_redirect_uris: app.postLogoutRedirectUris,
    grant_types: app.deviceFlow ? [...app.grantTypes, deviceGrant] : app.grantTypes,
    response_types: app.grantTypes.includes('authorization_code') ? ['code'] : [],
    response_modes: app.responseModes,
    token_endpoint_auth_method: app.tokenEndpointAuthMethod,
    require_pushed_authorization_requests: app.requirePushedAuthorizationRequests,
    dpop_bound_access_tokens: app.dpopBoundAccessTokens,
    ...(app.jwks !== null && { jwks: app.jwks as NonNullable<AdapterPayload['jwks']> }),
    ...(app.jwksUri !== null && { jwks_uri: app.jwksUri }),
    id_token_signed_response_alg: app.idTokenSignedResponseAlg,
    scope: app.scopes.filter((scope) => known.has(scope)).join(' '),
    ...(app.backchannelLogoutUri !== null && {
      backchannel_logout_uri: app.backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
    first_party: app.firstParty,
    own_subjects: app.subjectType === 'pairwise' || app.subjectClaim !== null,
    pairwise: app.subjectType === 'pairwise',
    pkce: app.public ? 'required' : app.pkce,
  };
  // The library wants a secret here; it gets the hashes, and compares by compareSecret.
  if (app.tokenEndpointAuthMethod.startsWith('client_secret_'))
    payload.client_secret = app.secretHashes.join('.') || noSecret;
  return payload;
}

const metadata = new WeakMap<App, AdapterPayload>();

/** Apps are values that stay the same until their configuration changes. */
function knownMetadata(app: App): AdapterPayload {
  const known = metadata.get(app) ?? metadataOf(app);
  metadata.set(app, known);
  return known;
}

/** Clients are the apps, read afresh each time: a change holds for the next request. */
export function createClientAdapter(apps: Apps, db: Db): Adapter {
  return {
    ...unsupported,
    async find(id) {
      // No text in PostgreSQL holds a NUL; bodies come here unchecked.
      const app = id.includes('\0') ? undefined : await apps.find(db, id);
      return app?.enabled ? knownMetadata(app) : undefined;
    },
  };
}

/**
 * The library tells clients apart by a hash over their metadata, drawn up anew by each look at one. Here the same
 * metadata is the same value, so the client that it has led to is found by that.
 */
export function keepClients({ Client: clients }: Provider): void {
  const { adapter, find } = clients as typeof clients & { adapter: Adapter };
  const kept = new WeakMap<AdapterPayload, Client>();
  clients.find = async (id) => {
    const known = typeof id === 'string' && id !== '' ? await adapter.find(id) : undefined;
    if (!known) return undefined;
    const client = kept.get(known) ?? (await find.call(clients, id));
    if (client) kept.set(known, client);
    return client;
  };
}

/** True when the hash of `sent` is one of the live ones. Looks at all of them, in constant time each. */
function matches(hashes: string, sent: string): boolean {
  const actual = createHash('sha256').update(sent).digest('hex');
  return hashes
    .split('.')
    .map((expected) => secretsMatch(expected, actual))
    .includes(true);
}

/** Our rules for the addresses of apps, and whose `sub` is not our id, on a new provider. */
export function judgeClients(provider: Provider): void {
  const { prototype } = provider.Client;
  prototype.redirectUriAllowed = function redirectUriAllowed(sent) {
    const registered = [...(this.redirectUris ?? [])];
    return this.clientAuthMethod === 'none'
      ? isRegisteredRedirect(sent, registered)
      : registered.includes(sent);
  };
  prototype.postLogoutRedirectUriAllowed = function postLogoutRedirectUriAllowed(sent) {
    return (this.postLogoutRedirectUris ?? []).includes(sent);
  };
  // As metadata the library allows it only with conditions on hosts and keys that are of its own making of `sub`.
  Object.defineProperty(prototype, 'subjectType', {
    get(this: OwnMembers) {
      return this.own_subjects ? 'pairwise' : 'public';
    },
    set() {},
  });
}

/** Browsers name the origin of pages that have none `null`, and so would any page in a sandbox. */
export const allowsOrigin = (origin: string, redirectUris: readonly string[]): boolean =>
  origin !== 'null' && redirectUris.some((uri) => URL.parse(uri)?.origin === origin);

/** Replaces the library's comparison of clear secrets on a new provider. */
export function compareSecretHashes(provider: Provider): void {
  provider.Client.prototype.compareClientSecret = function compareClientSecret(sent) {
    return matches(this.clientSecret ?? noSecret, sent);
  };
}
