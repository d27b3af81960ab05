import type Provider from 'oidc-provider';
import type { App } from '../../apps/types.ts';
import type { User } from '../../users/types.ts';

/** Under this key an account's claims carry those of the app, past the library's list of known names. */
const ofApp = Symbol('claims of the app');

/** The scope that has to be granted before a source may be told: a claim with another name reveals the same. */
const scopeOf: Record<string, string> = {
  id: 'openid',
  email: 'email',
  email_verified: 'email',
  phone: 'phone',
  phone_verified: 'phone',
  groups: 'groups',
};

/** The claims that an app has by its own configuration, to be added to an account's. */
export function appClaims(app: App | undefined, user: User, granted: string): object {
  const scopes = new Set(granted.split(' '));
  const told = Object.entries(app?.claims ?? {}).flatMap(([name, source]) => {
    const value = scopes.has(scopeOf[source] ?? 'profile') ? read(user, source) : null;
    return value === null || value === undefined ? [] : [[name, value]];
  });
  return { [ofApp]: Object.fromEntries(told) };
}

function read(user: User, source: string): unknown {
  if (source.startsWith('attributes.')) {
    const name = source.slice('attributes.'.length);
    return Object.hasOwn(user.attributes, name) ? user.attributes[name] : null;
  }
  const members: Record<string, unknown> = {
    id: user.id,
    username: user.username,
    name: user.name,
    email: user.email,
    email_verified: user.emailVerified,
    phone: user.phone,
    phone_verified: user.phoneVerified,
    groups: user.groups,
  };
  return members[source];
}

/** Lets the claims of apps through on a new provider, in the ID token as in userinfo. */
export function letAppClaimsThrough(provider: Provider): void {
  const { prototype } = provider.Claims;
  const { result } = prototype;
  prototype.result = async function resultWithApp(this: { available: Record<symbol, object | undefined> }) {
    return { ...(await result.call(this as never)), ...this.available[ofApp] };
  };
}
