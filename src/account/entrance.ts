import type { FastifyReply, FastifyRequest } from 'fastify';
import { sha256 } from '../crypto/index.ts';
import { acrNames } from '../flows/index.ts';
import type { Continuation, LoginRecord, LoginResult } from '../flows/types.ts';
import type { ExpiredView } from '../http/types.ts';
import { newSecret } from '../lib/ids.ts';
import { Problem } from '../lib/problem.ts';
import { text } from '../lib/texts.ts';
import { readByCookie, savingOidc } from '../sessions/index.ts';
import type { Session } from '../sessions/types.ts';
import { happened } from '../storage/index.ts';
import type { Tx } from '../storage/types.ts';
import { accountId } from './app.ts';
import { setFlash } from './flash.ts';
import { freshMs } from './standing.ts';
import type { AccountDeps, Visitor } from './types.ts';

const sessionCookie = 'sp-session';
/** The secret of the browser that began a login; the login is found by its hash, which is in the path. */
const continueCookie = 'sp-continue';
const bindingCookie = 'sp-login';
const waitMs = 15 * 60_000;

export const continuePath = (key: string): string => `/account/continue/${key}`;

/** Who is signed in in this browser, enough for these pages; null: a login is due. */
export async function visitorOf(
  { apps, flows, http, sessions, storage, users }: AccountDeps,
  request: FastifyRequest,
  now: Date,
): Promise<{ visitor: Visitor | null; session: Session | undefined }> {
  const { db } = storage;
  const cookie = http.cookies.get(request, sessionCookie, 'host');
  const session = cookie === undefined ? undefined : await sessions.findByCookie(db, cookie, now);
  const user = session && (await users.findById(db, session.userId));
  const app = await apps.find(db, accountId);
  if (!session || !user || !app) return { visitor: null, session };
  const asked = { session, user, app, browser: flows.browser(request), acr: [], maxAgeMs: null };
  return { visitor: (await flows.satisfies(db, asked, now)) ? { session, user } : null, session };
}

export interface Wish {
  /** Where to afterwards: a path below /account with its query. */
  to: string;
  session: Session | undefined;
  /** A second factor has to be passed now. */
  stepUp: boolean;
  /** Comes back to the form. */
  typed?: Record<string, string>;
}

/** Sends the browser to a login that comes back to these pages. */
export async function startLogin(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { session, stepUp, to, typed }: Wish,
): Promise<FastifyReply> {
  const { apps, clock, crypto, flows, http, random, storage } = deps;
  const app = await apps.find(storage.db, accountId);
  if (!app) throw new Error('the account is no app here');
  const secret = newSecret(random);
  const key = sha256(secret);
  const path = continuePath(key);
  const kept = typed &&
    session && { typed: crypto.seal('form', JSON.stringify(typed), key), by: session.userId };
  const login = await flows.start(
    storage.db,
    {
      ...{ app, session, continuationKey: key, fresh: false, loginHint: null },
      continuation: { kind: 'local', path, otherwise: stepUp ? '/account' : '/', payload: { to, ...kept } },
      ...{ acr: stepUp ? [acrNames.two] : [], maxAgeMs: stepUp ? freshMs : null },
      locale: http.locale(request),
      ...flows.browser(request),
    },
    clock.now(),
  );
  http.cookies.set(reply, bindingCookie, login.binding, { path: login.path, maxAgeMs: waitMs });
  http.cookies.set(reply, continueCookie, secret, { path, maxAgeMs: waitMs });
  return reply.redirect(login.path, 303);
}

/**
 * Where a login comes back to. It is used once, by the browser that began it, and gives out the session's cookie with a
 * new value; so do returns to applications, and the session is one for both.
 */
export async function comeBack(
  deps: AccountDeps,
  request: FastifyRequest<{ Params: { key: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { crypto, flows, http, random, storage } = deps;
  const { key } = request.params;
  const secret = http.cookies.get(request, continueCookie, 'path');
  if (secret === undefined || sha256(secret) !== key) return tooLate(deps, request, reply);
  const login = await flows.findByContinuation(storage.db, key);
  if (login?.continuation.kind !== 'local') return tooLate(deps, request, reply);
  http.cookies.clear(reply, continueCookie, { path: continuePath(key) });
  const { otherwise = '/', payload = {} } = login.continuation;
  if (login.status !== 'finished' || login.result === null) return reply.redirect(otherwise, 303);

  const value = newSecret(random);
  const session = await settle(deps, request, login, login.result, value);
  if (!session) return tooLate(deps, request, reply);
  const maxAgeMs = session.expiresAt.getTime() - deps.clock.now().getTime();
  http.cookies.set(reply, sessionCookie, value, { maxAgeMs });
  // Somebody else may have signed in instead.
  if (typeof payload.typed === 'string' && payload.by === session.userId) {
    const typed = JSON.parse(crypto.open('form', payload.typed, key));
    setFlash(deps, reply, { typed, done: text('account.again') }, session.id);
  }
  return reply.redirect(destinationOf(payload), 303);
}

/** A request may name a whole address (RFC 9112, section 3.2.2), of any host: only paths lead back. */
const destinationOf = ({ to }: NonNullable<(Continuation & { kind: 'local' })['payload']>): string =>
  typeof to === 'string' && /^\/[^/]/.test(to) ? to : '/account';

/** Thrown to undo everything: another request was first, or the session has ended meanwhile. */
class Lost extends Error {}

async function settle(
  deps: AccountDeps,
  request: FastifyRequest,
  login: LoginRecord,
  result: LoginResult,
  value: string,
): Promise<Session | undefined> {
  const { clock, flows, http, storage } = deps;
  const now = clock.now();
  const cookie = http.cookies.get(request, sessionCookie, 'host');
  const browser =
    cookie === undefined ? undefined : (await readByCookie(storage.db, sha256(cookie), now))?.session;
  try {
    return await storage.transaction(async (tx) => {
      if (!(await happened(tx, flows.consuming(tx, login.id)))) throw new Lost();
      const session = await merge(deps, tx, browser, result, now);
      const save = { cookieHash: sha256(value), payload: {} };
      if (!session || !(await happened(tx, savingOidc(tx, session.id, save, now)))) throw new Lost();
      return session;
    });
  } catch (error) {
    if (error instanceof Lost) return undefined;
    throw error;
  }
}

/**
 * Which session goes on. Another tab may have signed somebody in meanwhile: another person's session ends; of two of the
 * same person the browser's stays, because what other tabs and apps have hangs on it.
 */
async function merge(
  { sessions }: AccountDeps,
  tx: Tx,
  browser: Session | undefined,
  { sessionId, userId }: LoginResult,
  now: Date,
): Promise<Session | undefined> {
  const made = await sessions.find(tx, sessionId, now);
  if (!browser || browser.id === sessionId) return made;
  if (browser.userId !== userId) {
    await sessions.revoke(tx, browser.id, 'replaced', now);
    return made;
  }
  const kept = made && (await sessions.strengthen(tx, browser.id, made.factors, now));
  if (kept) await sessions.revoke(tx, sessionId, 'merged', now);
  return kept;
}

async function tooLate(
  { apps, http, issuer, storage }: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const data: ExpiredView = { startUrl: new URL('/account', issuer).href };
  return http.page(request, reply, {
    ...{ view: 'login/expired', title: text('expired.title'), status: 410, data },
    app: (await apps.find(storage.db, accountId)) ?? null,
  });
}

/** As if the pages were not there. */
export const switchedOff = (): Problem =>
  new Problem({ status: 404, code: 'not_found', message: 'There is nothing at this address.' });
