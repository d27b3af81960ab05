import { isLoopback } from '../lib/network.ts';
import type { App } from './types.ts';

/**
 * Why an address may not be one that users are sent back to, or null. It is compared exactly, so it must be whole:
 * https, or http on loopback (RFC 8252, section 7.3), or a private-use scheme of a native app (section 7.1).
 */
export function faultOfRedirect(uri: string): string | null {
  if (/\s/u.test(uri) || !URL.canParse(uri)) {
    return `'${uri}' is no absolute URI; write it whole, for instance https://shop.example/callback`;
  }
  if (uri.includes('#')) return `'${uri}' has a fragment (#…), which no redirect URI may have`;
  if (uri.includes('*'))
    return `'${uri}' has a wildcard; redirect URIs are compared exactly, so list each one`;
  const url = new URL(uri);
  if (url.username !== '' || url.password !== '') return `'${uri}' holds a user name or password`;
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:') {
    return isLoopback(url.hostname)
      ? null
      : `'${uri}' must begin with https:// (plain http is for localhost only)`;
  }
  if (url.protocol.includes('.')) return null;
  return `'${uri}' must begin with https://, or for a native app with a scheme such as com.example.app:/`;
}

/** Why an address may not be linked to from pages, or null. */
export function faultOfLink(uri: string): string | null {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url?.protocol === 'https:') return null;
  if (url?.protocol === 'http:' && isLoopback(url.hostname)) return null;
  return `'${uri}' must be a whole URL that begins with https://`;
}

/**
 * Why an app may not have its own login pages there, or null. Their calls carry a SameSite cookie of the issuer, so
 * scheme and registrable domain must be the issuer's. Without a list of public suffixes, the last two labels of the
 * name stand for the domain: too lax only where a registry sells names below its own (co.uk), and there the browser
 * still withholds the cookie.
 */
export function faultOfLoginUrl(uri: string, issuer: URL): string | null {
  const fault = faultOfLink(uri);
  if (fault !== null) return fault;
  const url = new URL(uri);
  if (url.search !== '' || url.hash !== '') return `'${uri}' may have neither a query nor a fragment`;
  if (url.protocol === issuer.protocol && site(url.hostname) === site(issuer.hostname)) return null;
  return `'${uri}' must be on the same site as ${issuer.origin}, or browsers withhold the login's cookie`;
}

const site = (hostname: string): string =>
  /^[\d.]+$|^\[/u.test(hostname) ? hostname : hostname.split('.').slice(-2).join('.');

/** An installed app listens on whatever port is free, so it registers a loopback address without one. */
export const takesAnyPort = (url: URL): boolean =>
  url.protocol === 'http:' && url.port === '' && isLoopback(url.hostname);

/**
 * Whether users may be sent back to `sent`: it is a registered address to the letter, or differs only by the port from
 * a loopback address that is registered without one (RFC 8252, section 7.3).
 */
export function isRegisteredRedirect(sent: string, registered: string[]): boolean {
  if (registered.includes(sent)) return true;
  const url = URL.parse(sent);
  if (url?.protocol !== 'http:' || url.port === '' || !isLoopback(url.hostname)) return false;
  return registered.some((uri) => {
    const known = URL.parse(uri);
    return (
      known !== null && takesAnyPort(known) && sent === uri.replace(known.host, `${known.host}:${url.port}`)
    );
  });
}

/** Where a person can begin anew with an app, or null. The issuer goes along where the app begins by itself. */
export function startUrlOf(app: Pick<App, 'home' | 'initiateLoginUri'>, issuer: URL): string | null {
  if (app.initiateLoginUri === null) return app.home;
  const url = new URL(app.initiateLoginUri);
  url.searchParams.set('iss', issuer.origin);
  return url.href;
}
