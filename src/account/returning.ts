import type { FastifyReply, FastifyRequest } from 'fastify';
import { isRegisteredRedirect } from '../apps/index.ts';
import type { App, Apps } from '../apps/types.ts';
import type { Http } from '../http/types.ts';
import type { Db } from '../storage/types.ts';

const cookie = 'sp-return';
const path = '/account';
const keptMs = 60 * 60_000;

export interface Back {
  href: string;
  app: string;
}

/**
 * The way back to the app that sent somebody here with `?return_to=`. Looked at again for each page: whatever the cookie
 * holds, no page links to what no app has registered.
 */
export async function wayBack(
  { apps, db, http }: { apps: Apps; db: Db; http: Pick<Http, 'cookies'> },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Back | null> {
  const asked = (request.query as Record<string, unknown>).return_to;
  const wish = typeof asked === 'string' ? asked : http.cookies.get(request, cookie, 'path');
  if (wish === undefined || wish.length > 2000) return null;
  const app = (await apps.list(db)).find((app) => app.enabled && isHome(app, wish));
  if (!app) return null;
  if (wish === asked) http.cookies.set(reply, cookie, wish, { path, maxAgeMs: keptMs });
  return { href: wish, app: app.name };
}

/** Registered to the letter, or below the address where the app's users start. */
function isHome({ home, postLogoutRedirectUris, redirectUris }: App, wish: string): boolean {
  if ([...redirectUris, ...postLogoutRedirectUris].some((uri) => isRegisteredRedirect(wish, [uri]))) {
    return isWeb(wish);
  }
  const start = home === null ? null : URL.parse(home);
  const url = URL.parse(wish);
  if (!start || !url || url.username !== '' || url.password !== '') return false;
  const folder = start.pathname.slice(0, start.pathname.lastIndexOf('/') + 1);
  return url.origin === start.origin && url.pathname.startsWith(folder);
}

/** Native apps register schemes of their own; what a page links to is the web. */
const isWeb = (uri: string): boolean => /^https?:\/\//.test(uri);
