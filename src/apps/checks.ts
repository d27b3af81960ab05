import { demoCredentials, stored } from '../config/index.ts';
import type { Fault } from '../lib/problem.ts';
import { faultsOfApis } from './apis.ts';
import { type AppDocument, authMethodOf, shortestSecret } from './document.ts';
import { faultsOfKeys } from './keys.ts';
import { faultOfLink, faultOfLoginUrl, faultOfRedirect } from './uris.ts';

/** Scopes that no API may claim for itself. */
const oidcScopes: ReadonlySet<string> = new Set([
  ...['openid', 'profile', 'email', 'address', 'phone', 'groups', 'offline_access'],
]);

export interface CheckDeps {
  issuer: URL;
  /** The demo runs: its secret counts. */
  demo: boolean;
}

const linked = [
  'home',
  'logoUrl',
  'privacyUrl',
  'termsUrl',
  'initiateLoginUri',
  'backchannelLogoutUri',
] as const;

/** Names of the gateway's own pages. */
const reservedIds: ReadonlySet<string> = new Set(['account']);

/** Claims whose meaning is fixed: a library of the app trusts them. */
const reservedClaims = new Set(
  'iss sub aud exp nbf iat jti azp nonce acr amr auth_time sid at_hash c_hash s_hash events cnf'.split(' '),
);

/** Everything that is wrong with one app, beyond its schema and whatever else is configured. */
export function faultsOfApp(app: AppDocument, deps: CheckDeps): Fault[] {
  const faults: Fault[] = [];
  const add = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message });
  };
  if (reservedIds.has(app.id)) add('id', `'${app.id}' is the name of a part of the gateway itself`);
  for (const [index, uri] of app.redirectUris.entries()) add(`redirectUris[${index}]`, faultOfRedirect(uri));
  for (const [index, uri] of app.postLogoutRedirectUris.entries()) {
    add(`postLogoutRedirectUris[${index}]`, faultOfRedirect(uri));
  }
  for (const member of linked) {
    const uri = app[member];
    if (uri !== undefined) add(member, faultOfLink(uri));
  }
  if (app.loginUrl !== undefined) add('loginUrl', faultOfLoginUrl(app.loginUrl, deps.issuer));
  for (const member of ['secret', 'previousSecret'] as const) {
    const secret = app[member];
    if (secret !== undefined) add(member, faultOfSecret(secret, deps.demo));
  }
  for (const [path, message] of faultsOfSubject(app)) add(path, message);
  if (!app.scopes.includes('openid')) add('scopes', "must hold 'openid'");
  add('tokenEndpointAuthMethod', faultOfAuthMethod(app));
  if (app.previousSecret !== undefined && app.secret === undefined) {
    add('previousSecret', 'stands without a secret');
  }
  const unproved = app.secret === undefined && app.jwks === undefined && app.jwksUri === undefined;
  if ((unproved || authMethodOf(app) === 'none') && app.pkce === 'optional') {
    add('pkce', 'must be required of an app without a secret or keys (RFC 9700, section 2.1.1)');
  }
  faults.push(...faultsOfGrants(app), ...faultsOfKeys(app), ...faultsOfApis(app, oidcScopes));
  return faults;
}

/** Apps with users need where to send them; apps without need to prove themselves. */
function faultsOfGrants(app: AppDocument): Fault[] {
  const faults: Fault[] = [];
  if (app.grantTypes.includes('authorization_code')) {
    if (app.redirectUris.length === 0) faults.push({ path: 'redirectUris', message: 'must hold an address' });
  }
  if ((app.grantTypes.includes('authorization_code') || app.deviceFlow) && app.flow === undefined) {
    faults.push({ path: 'flow', message: 'is missing' });
  }
  if (app.grantTypes.includes('client_credentials') && authMethodOf(app) === 'none') {
    const message = 'holds client_credentials, which needs a secret or keys';
    faults.push({ path: 'grantTypes', message });
  }
  return faults;
}

function faultOfSecret(secret: string, demo: boolean): string | null {
  if (secret === stored) return null;
  if (!demo && secret === demoCredentials.appSecret)
    return 'is the secret of the demo, which everyone can read';
  if (secret.length >= shortestSecret) return null;
  return `must have at least ${shortestSecret} characters, because a fast hash protects only a long random secret`;
}

function faultOfAuthMethod(app: AppDocument): string | null {
  const method = app.tokenEndpointAuthMethod;
  if (method === 'none' && app.secret !== undefined)
    return "is 'none' beside a secret: leave one of them out";
  if (method === 'private_key_jwt' && app.secret !== undefined)
    return "is 'private_key_jwt' beside a secret: leave one of them out";
  if (method?.startsWith('client_secret_') && app.secret === undefined)
    return `is '${method}' without a secret`;
  return null;
}

/** What an app is told of its users. */
function* faultsOfSubject(app: AppDocument): Generator<[path: string, message: string]> {
  for (const name of Object.keys(app.claims)) {
    if (reservedClaims.has(name)) yield [`claims.${name}`, 'has a fixed meaning and cannot be mapped'];
  }
  if (app.subjectType !== 'pairwise') return;
  if (app.subjectClaim !== undefined) {
    yield ['subjectClaim', 'cannot stand beside subjectType pairwise: one of them decides what sub is'];
  }
  const hosts = new Set(app.redirectUris.map((uri) => URL.parse(uri)?.host ?? ''));
  if (hosts.size !== 1 || hosts.has('')) {
    yield [
      'subjectType',
      'is pairwise, so all redirectUris must have one host (OpenID Connect Core, section 8.1)',
    ];
  }
}
