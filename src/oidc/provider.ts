import type { EventEmitter } from 'node:events';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { sha256 } from '../crypto/index.ts';
import type { Crypto, SigningKey } from '../crypto/types.ts';
import type { Http } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { isDatabaseUnavailable } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import { burnCode } from './adapters/artifacts.ts';
import { compareSecretHashes, judgeClients, keepClients, type OwnMembers } from './adapters/clients.ts';
import { rememberProofs } from './adapters/replay.ts';
import { configurationOf, logoutPath, type Parts } from './configuration.ts';
import { carryDeviceForms, sendDeviceForm } from './devices/forms.ts';
import { deviceResumePath } from './devices/pages.ts';
import { nameSessions } from './logout/back-channel.ts';
import { consentPath, interactionSeconds, resumePath } from './pending.ts';
import { letAppClaimsThrough } from './subjects/app-claims.ts';
import type { LogoutState } from './types.ts';
import { requestOf, type Units } from './unit.ts';

export interface ProviderDeps {
  issuer: URL;
  db: Db;
  crypto: Crypto;
  clock: Clock;
  http: Http;
  log: Logger;
  units: Units;
  parts: Parts;
  /** Name of the cookie that carries a logout between its question and the answer. */
  logoutCookie: string;
  /** Name of the cookie that goes with the form of a device's code. */
  deviceCookie: string;
}

/** A provider on these keys, with everything of ours attached. */
export function buildProvider(deps: ProviderDeps, keys: SigningKey[]): Provider {
  const { issuer, http, log, parts } = deps;
  const provider = new Provider(issuer.origin, configurationOf(parts, keys, http.cookies));
  compareSecretHashes(provider);
  judgeClients(provider);
  keepClients(provider);
  letAppClaimsThrough(provider);
  nameSessions(provider, (client) => (client as OwnMembers | undefined)?.pairwise === true);
  carryDeviceForms(provider, deps.deviceCookie);
  rememberProofs(provider, deps);
  pinOrigin(provider, issuer);
  provider.use(async (context, next) => {
    await next();
    await finish(deps, provider, context as KoaContextWithOIDC);
  });
  // The row's id is what tokens are bound to. The cookie's owner is known by now, the code is not made yet.
  provider.on('interaction.ended', ({ oidc }) => {
    const sessionId = oidc.result?.login?.sessionId;
    if (oidc.session && typeof sessionId === 'string') oidc.session.uid = sessionId;
  });
  provider.on('server_error', (context, error) => {
    log.error({ err: error, reference: requestOf(context).id }, 'openid request failed');
    if (!isDatabaseUnavailable(error)) return;
    context.status = 503;
    context.set('Retry-After', '5');
    if (typeof context.body === 'object') context.body = { error: 'temporarily_unavailable' };
  });
  (provider as EventEmitter).on('error', (error) => log.error({ err: error }, 'openid request failed'));
  return provider;
}

/** URLs and cookie flags follow the issuer, never what a request says about its host or scheme. */
function pinOrigin(provider: Provider, issuer: URL): void {
  const pinned = {
    protocol: () => issuer.protocol.slice(0, -1),
    secure: () => issuer.protocol === 'https:',
    host: () => issuer.host,
    hostname: () => issuer.hostname,
    href(this: { originalUrl: string }) {
      return `${issuer.origin}${this.originalUrl.startsWith('/') ? this.originalUrl : '/'}`;
    },
  };
  for (const [name, get] of Object.entries(pinned)) {
    Object.defineProperty(provider.request, name, { get, configurable: true });
  }
}

/** After the library: writes what is left over, and gives the cookies their final form. */
async function finish(deps: ProviderDeps, provider: Provider, context: KoaContextWithOIDC): Promise<void> {
  if (!('oidc' in context)) return;
  try {
    // A failure of ours issued nothing, so it uses nothing up: the same request may succeed in a moment.
    if (context.status >= 500) deps.units.discard(context);
    await burnCode(deps.units, context, deps.clock.now());
    await deps.units.commit(context);
  } catch (error) {
    await refuse(deps, context, error);
  }
  carryLogout(deps, context);
  sendDeviceForm(context, deps.deviceCookie);
  const cookies = [context.res.getHeader('Set-Cookie') ?? []].flat().map(String);
  const tidied = cookies.flatMap((cookie) => tidy(cookie, provider, context));
  if (tidied.length > 0) context.set('Set-Cookie', tidied);
  else context.remove('Set-Cookie');
}

/** What was answered does not hold: something could not be written, or had been used already. */
async function refuse(
  { log, parts }: ProviderDeps,
  context: KoaContextWithOIDC,
  error: unknown,
): Promise<void> {
  const ours = !(error instanceof errors.OIDCProviderError);
  if (ours) log.error({ err: error, reference: requestOf(context).id }, 'openid request failed');
  const out = { error: ours ? 'server_error' : error.message };
  context.status = ours ? 500 : error.statusCode;
  if (context.accepts('json', 'html') === 'html') return parts.renderError(context, out, error);
  if (isDatabaseUnavailable(error)) context.status = 503;
  context.body = out;
}

/**
 * The library keeps a logout's question in the session; a GET must not write there, so it travels sealed in a cookie
 * of the logout page. Where nobody is logged in, there is nothing to ask.
 */
function carryLogout({ crypto, logoutCookie }: ProviderDeps, context: KoaContextWithOIDC): void {
  const { route, session } = context.oidc;
  const options = { path: logoutPath, httpOnly: true, sameSite: 'lax', overwrite: true } as const;
  if (route === 'end_session_confirm') context.cookies.set(logoutCookie, null, options);
  if (route !== 'end_session' || !session?.state) return;
  const state = session.state as unknown as LogoutState;
  if (session.accountId !== undefined) {
    const sealed = crypto.seal('form', JSON.stringify(state), session.uid);
    context.cookies.set(logoutCookie, sealed, { ...options, maxAge: interactionSeconds * 1000 });
    return;
  }
  const target = new URL(state.postLogoutRedirectUri ?? `${logoutPath}/success`, context.oidc.issuer);
  if (state.postLogoutRedirectUri !== undefined && state.state !== undefined) {
    target.searchParams.set('state', state.state);
  }
  context.body = null;
  context.status = 303;
  context.redirect(target.href);
}

/**
 * Cookies of pending requests hang on paths with public keys instead of the secret itself; a session without a person
 * gets no cookie, and the library's pointer to a login page is of no use beside the login's own binding.
 */
function tidy(cookie: string, provider: Provider, { oidc }: KoaContextWithOIDC): string[] {
  const is = (type: string) => cookie.startsWith(`${provider.cookieName(type)}=`);
  const clears = /^[^=]+=;/.test(cookie);
  const { accountId, destroyed } = (oidc.session ?? {}) as { accountId?: string; destroyed?: boolean };
  if (is('session') && !clears && (accountId === undefined || destroyed)) return [];
  if (is('interaction') && !cookie.includes(`path=${consentPath('')}`)) return [];
  if (is('resume')) {
    return [
      cookie
        .replace(/path=\/authorize\/([^;]+)/, (_, secret) => `path=${resumePath(sha256(secret))}`)
        .replace(/path=\/device\/([^;]+)/, (_, secret) => `path=${deviceResumePath(sha256(secret))}`),
    ];
  }
  return [cookie];
}
