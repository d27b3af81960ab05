import type { FastifyReply, FastifyRequest } from 'fastify';
import { startUrlOf } from '../apps/index.ts';
import type { App, Apps } from '../apps/types.ts';
import type { Crypto } from '../crypto/types.ts';
import type { ErrorView, Http } from '../http/types.ts';
import { Problem } from '../lib/problem.ts';
import { text } from '../lib/texts.ts';
import type { Db } from '../storage/types.ts';
import type { LoginRow } from './store.ts';

export const bindingCookie = 'sp-login';

/**
 * The secret of the browser that started the login; null in any other: a login that somebody began elsewhere must not
 * be finished here on their behalf (login CSRF), nor the other way round.
 */
export function bindingOf(
  { crypto, http }: { crypto: Crypto; http: Http },
  request: FastifyRequest,
  row: Pick<LoginRow, 'id' | 'bindingHash'>,
): string | null {
  const secret = http.cookies.get(request, bindingCookie, 'path') ?? '';
  return crypto.verifyMac(row.bindingHash, 'login-binding', row.id, secret) ? secret : null;
}

/** For people a page with the way back; programs are told. */
export async function otherBrowser(
  { http, issuer }: { http: Http; issuer: URL },
  request: FastifyRequest,
  reply: FastifyReply,
  app: App,
): Promise<unknown> {
  const status = 403;
  const code = 'other_browser';
  const message = 'This sign-in was started in another browser.';
  if (http.wantsJson(request)) throw new Problem({ status, code, message });
  request.log.info({ problem: code, status }, 'request refused');
  const start = startUrlOf(app, issuer);
  const data: ErrorView = {
    ...{ heading: text('error.refused'), sentence: text('problem.other_browser'), detail: null },
    reference: request.id,
    back: start === null ? null : { href: start, label: text('expired.start', { app: app.name }) },
  };
  return http.page(request, reply, { view: 'error', title: data.heading, status, app, data });
}

/** Another origin that may ask and read, with credentials: the one where the application draws its own pages. */
export async function foreignOrigin(
  apps: Apps,
  db: Db,
  request: FastifyRequest,
  app: App | undefined,
): Promise<string | null> {
  const { origin } = request.headers;
  if (origin === undefined) return null;
  // The login is gone, and with it whose it was: any of the registered origins may be told so.
  const candidates = app ? [app] : await apps.list(db);
  const allowed = candidates.some(({ loginUrl }) => loginUrl !== null && new URL(loginUrl).origin === origin);
  return allowed ? origin : null;
}

export function allowOrigin(reply: FastifyReply, origin: string | null): void {
  reply.header('vary', 'Origin');
  if (origin === null) return;
  reply.header('access-control-allow-origin', origin).header('access-control-allow-credentials', 'true');
}

/**
 * A JSON submit carries no form token: browsers send this content type to another origin only after asking
 * (Fetch, CORS preflight), and say truly where the page that sends it came from.
 */
export function requireJson(request: FastifyRequest, issuer: URL, foreign: string | null): void {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Problem({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send the fields as application/json.',
    });
  }
  const { origin } = request.headers;
  if (origin !== undefined && (origin === issuer.origin || origin === foreign)) return;
  throw new Problem({
    status: 403,
    code: 'foreign_form',
    message: 'The Origin header must name the sign-in service or the application’s own login page.',
  });
}
