import { demoCredentials, stored } from '../config/index.ts';
import type { Fault } from '../lib/problem.ts';
import { type AppDocument, shortestSecret } from './document.ts';
import { faultOfLink, faultOfLoginUrl, faultOfRedirect } from './uris.ts';

export interface CheckDeps {
  issuer: URL;
  /** The demo runs: its secret counts. */
  demo: boolean;
}

/** Everything that is wrong with one app, beyond its schema and whatever else is configured. */
export function faultsOfApp(app: AppDocument, deps: CheckDeps): Fault[] {
  const faults: Fault[] = [];
  const add = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message });
  };
  for (const [index, uri] of app.redirectUris.entries()) add(`redirectUris[${index}]`, faultOfRedirect(uri));
  for (const [index, uri] of app.postLogoutRedirectUris.entries()) {
    add(`postLogoutRedirectUris[${index}]`, faultOfRedirect(uri));
  }
  for (const member of ['home', 'logoUrl', 'privacyUrl', 'termsUrl'] as const) {
    const uri = app[member];
    if (uri !== undefined) add(member, faultOfLink(uri));
  }
  if (app.loginUrl !== undefined) add('loginUrl', faultOfLoginUrl(app.loginUrl, deps.issuer));
  for (const member of ['secret', 'previousSecret'] as const) {
    const secret = app[member];
    if (secret !== undefined) add(member, faultOfSecret(secret, deps.demo));
  }
  if (!app.scopes.includes('openid')) add('scopes', "must hold 'openid'");
  add('tokenEndpointAuthMethod', faultOfAuthMethod(app));
  if (app.previousSecret !== undefined && app.secret === undefined) {
    add('previousSecret', 'stands without a secret');
  }
  if (app.secret === undefined && app.pkce === 'optional') {
    add('pkce', 'must be required of an app without a secret (RFC 9700, section 2.1.1)');
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
  if (method !== undefined && method !== 'none' && app.secret === undefined)
    return `is '${method}' without a secret`;
  return null;
}
