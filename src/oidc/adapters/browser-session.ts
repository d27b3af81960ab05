import { isDeepStrictEqual } from 'node:util';
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Apps } from '../../apps/types.ts';
import { sha256 } from '../../crypto/index.ts';
import type { Crypto } from '../../crypto/types.ts';
import type { Flows } from '../../flows/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { isWithin, type OidcSession, readByCookie, readById, savingOidc } from '../../sessions/index.ts';
import type { Session, Sessions } from '../../sessions/types.ts';
import type { Db } from '../../storage/types.ts';
import { AlreadyUsed, type Units } from '../unit.ts';
import { epoch, unsupported } from './artifacts.ts';

/** A session in use is written to at most this often for that reason alone. */
const seenEveryMs = 60_000;

export interface BrowserSessionDeps {
  db: Db;
  apps: Apps;
  clock: Clock;
  crypto: Crypto;
  sessions: Sessions;
  flows: Flows;
  units: Units;
  /** Name of the cookie that carries a logout between its question and the answer. */
  logoutCookie: string;
}

/** The library's Session is our row of `sessions`: revoked or run out there, it is gone here with the next request. */
export function createSessionAdapter(deps: BrowserSessionDeps): Adapter {
  const { db, clock, sessions, flows, units } = deps;
  return {
    ...unsupported,
    async find(cookie) {
      const found = await readByCookie(db, sha256(cookie), clock.now());
      if (!found) return undefined;
      units.current().browser = { session: found.session, authorizations: authorizationsOf(found.oidc) };
      const state = logoutStateFor(deps, found.session.id);
      return { ...payloadOf(flows, found, cookie), ...(state === undefined ? {} : { state }) };
    },

    async findByUid(id) {
      const { sessions: known } = units.current();
      const found = known.has(id) ? known.get(id) : await readById(db, id, clock.now());
      if (!found) return undefined;
      const payload = payloadOf(flows, found, id);
      return { ...payload, authorizations: await withinLimits(deps, found.session, payload) };
    },

    /** The last write of a way through /authorize: what was gathered goes out with it. */
    async upsert(cookie, payload) {
      keep(deps, cookie, payload);
      try {
        await units.commit();
      } catch (error) {
        // Else the library would try to save once more after the answer has been made.
        if (Provider.ctx?.oidc.session) Reflect.set(Provider.ctx.oidc.session, 'destroyed', true);
        throw error;
      }
    },

    /** The library calls this for a new cookie of the same session too: then the row stays. */
    async destroy(cookie) {
      const { browser } = units.current();
      const session = Provider.ctx?.oidc.session as { oldId?: string } | undefined;
      if (!browser || session?.oldId === cookie) return;
      units.current().writes.push((tx) => sessions.revoke(tx, browser.session.id, 'logout', clock.now()));
      await units.commit();
    },
  };
}

function payloadOf(flows: Flows, { session, oidc }: OidcSession, jti: string): AdapterPayload {
  const { acr, amr } = flows.describe(session.factors);
  return {
    jti,
    kind: 'Session',
    uid: session.id,
    accountId: session.userId,
    loginTs: epoch(session.authTime),
    acr,
    amr,
    // The library changes it in place; what was read has to stay to be compared with.
    authorizations: structuredClone(authorizationsOf(oidc)) as NonNullable<AdapterPayload['authorizations']>,
    iat: epoch(session.createdAt),
    exp: epoch(session.expiresAt),
  };
}

/** An app whose limits the session has passed has no part in it, and its tokens are as good as revoked. */
async function withinLimits(
  { apps, db, clock }: BrowserSessionDeps,
  session: Session,
  { authorizations = {} }: AdapterPayload,
): Promise<NonNullable<AdapterPayload['authorizations']>> {
  const now = clock.now();
  const kept = await Promise.all(
    Object.entries(authorizations).map(async (entry) => {
      const app = await apps.find(db, entry[0]);
      return isWithin(session, app?.sessions, now) ? [entry] : [];
    }),
  );
  return Object.fromEntries(kept.flat());
}

/** What the person was asked on the logout page, sealed for this session in a cookie of that page. */
function logoutStateFor(
  { crypto, logoutCookie }: BrowserSessionDeps,
  sessionId: string,
): AdapterPayload['state'] | undefined {
  const context = Provider.ctx;
  if (context?.oidc.route !== 'end_session_confirm') return undefined;
  const sealed = context.cookies.get(logoutCookie);
  if (sealed === undefined) return undefined;
  try {
    return JSON.parse(crypto.open('form', sealed, sessionId));
  } catch {
    return undefined;
  }
}

/** Gathers what has changed. The library saves with each GET; most have nothing new. */
function keep({ units, clock }: BrowserSessionDeps, cookie: string, payload: AdapterPayload): void {
  const { accountId, uid: sessionId, authorizations = {} } = payload;
  // Anonymous: nobody is logged in, there is nothing to keep.
  if (accountId === undefined || sessionId === undefined) return;
  const { browser, writes } = units.current();
  const now = clock.now();
  const unchanged =
    browser?.session.id === sessionId &&
    cookie === cookieOf(Provider.ctx) &&
    now.getTime() - browser.session.lastSeenAt.getTime() < seenEveryMs &&
    isDeepStrictEqual(browser.authorizations, authorizations);
  if (unchanged) return;
  const save = { cookieHash: sha256(cookie), payload: { authorizations } };
  writes.push({
    guard: (db) => savingOidc(db, sessionId, save, now),
    lost: () => new AlreadyUsed(gone()),
  });
}

const authorizationsOf = (oidc: Record<string, unknown> | null): Record<string, unknown> =>
  (oidc?.authorizations as Record<string, unknown> | undefined) ?? {};

const cookieOf = (context: typeof Provider.ctx): string | undefined =>
  context?.oidc.cookies.get(context.oidc.provider.cookieName('session'));

/** For the person, not for the app: only a page can say how to go on. */
function gone(): Error {
  const error = new errors.SessionNotFound('the session has ended');
  error.allow_redirect = false;
  return error;
}
