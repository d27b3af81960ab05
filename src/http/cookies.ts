import type { Cookies } from './types.ts';

/**
 * Cookies of this gateway: HttpOnly and SameSite=Lax always. On https the prefix makes the browser refuse one that
 * another host or an insecure page has planted (RFC 6265bis, section 4.1.3); http exists on loopback only, where
 * browsers would drop Secure cookies.
 */
export function createCookies(issuer: URL): Cookies {
  const secure = issuer.protocol === 'https:';
  const name: Cookies['name'] = (base, scope) => {
    if (!secure) return base;
    return scope === 'host' ? `__Host-${base}` : `__Secure-${base}`;
  };
  const attributes = (path: string | undefined) =>
    ({ path: path ?? '/', httpOnly: true, sameSite: 'lax', secure }) as const;
  const scopeOf = (path: string | undefined) => (path === undefined ? 'host' : 'path');
  return {
    name,
    set(reply, base, value, { path, maxAgeMs }) {
      reply.setCookie(name(base, scopeOf(path)), value, {
        ...attributes(path),
        ...(maxAgeMs === undefined ? {} : { maxAge: Math.floor(maxAgeMs / 1000) }),
      });
    },
    get: (request, base, scope) => request.cookies[name(base, scope)],
    clear(reply, base, { path }) {
      reply.clearCookie(name(base, scopeOf(path)), attributes(path));
    },
  };
}
