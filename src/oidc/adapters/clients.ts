import { createHash, timingSafeEqual } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { App, Apps } from '../../apps/types.ts';
import type { Db } from '../../storage/types.ts';
import { unsupported } from './artifacts.ts';

/** Every scope that is understood. Apps may ask for those in their own list. */
export const scopes = ['openid', 'profile', 'email', 'phone', 'groups', 'offline_access'] as const;

/** Members of an app that our own rules look at, carried along by the library. */
export const ownMembers = ['first_party', 'pkce'] as const;

export interface OwnMembers {
  first_party?: boolean;
  pkce?: App['pkce'];
}

/** Stands where an app has no live secret: no hash looks like it, so nothing matches. */
const noSecret = '-';

/** Loopback and custom-scheme addresses belong to installed apps (RFC 8252, section 7). */
const isNative = (app: App): boolean =>
  app.redirectUris.some((uri) => !['http:', 'https:'].includes(new URL(uri).protocol));

function metadataOf(app: App): AdapterPayload {
  const known = new Set<string>(scopes);
  const payload: AdapterPayload & OwnMembers = {
    client_id: app.id,
    client_name: app.name,
    application_type: isNative(app) ? 'native' : 'web',
    redirect_uris: app.redirectUris,
    post_logout_redirect_uris: app.postLogoutRedirectUris,
    grant_types: app.grantTypes,
    response_types: ['code'],
    token_endpoint_auth_method: app.tokenEndpointAuthMethod,
    id_token_signed_response_alg: app.idTokenSignedResponseAlg,
    scope: app.scopes.filter((scope) => known.has(scope)).join(' '),
    first_party: app.firstParty,
    pkce: app.public ? 'required' : app.pkce,
  };
  // The library wants a secret here; it gets the hashes, and compares by compareSecret.
  if (!app.public) payload.client_secret = app.secretHashes.join('.') || noSecret;
  return payload;
}

/** Clients are the apps, read afresh each time: a change holds for the next request. */
export function createClientAdapter(apps: Apps, db: Db): Adapter {
  return {
    ...unsupported,
    async find(id) {
      // No text in PostgreSQL holds a NUL; bodies come here unchecked.
      const app = id.includes('\0') ? undefined : await apps.find(db, id);
      return app?.enabled ? metadataOf(app) : undefined;
    },
  };
}

/** True when the hash of `sent` is one of the live ones. Looks at all of them, in constant time each. */
function matches(hashes: string, sent: string): boolean {
  const actual = Buffer.from(createHash('sha256').update(sent).digest('hex'));
  return hashes
    .split('.')
    .map((hash) => Buffer.from(hash))
    .map((expected) => expected.length === actual.length && timingSafeEqual(expected, actual))
    .includes(true);
}

/** Replaces the library's comparison of clear secrets on a new provider. */
export function compareSecretHashes(provider: Provider): void {
  provider.Client.prototype.compareClientSecret = function compareClientSecret(sent) {
    return matches(this.clientSecret ?? noSecret, sent);
  };
}
