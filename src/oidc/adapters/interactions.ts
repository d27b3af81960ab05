import { randomUUID } from 'node:crypto';
import Provider, {
  type Adapter,
  type AdapterPayload,
  errors,
  type InteractionResults,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { sha256 } from '../../crypto/index.ts';
import type { Flows, LoginRecord, LoginResult } from '../../flows/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Sessions } from '../../sessions/types.ts';
import type { Db } from '../../storage/types.ts';
import { type Artifact, deleting } from '../store.ts';
import { AlreadyUsed, type Units } from '../unit.ts';
import { unsupported } from './artifacts.ts';

/** A login that is still open, or whose result was fetched before, has nothing to give. */
const ended = new Set(['finished', 'cancelled', 'failed']);

export interface InteractionDeps {
  db: Db;
  clock: Clock;
  flows: Flows;
  sessions: Sessions;
  units: Units;
  /** Who a user is to an app. */
  subjectOf(appId: string, userId: string): Promise<string>;
  /** A row by its secret, read once per request. */
  load(secret: string): Promise<Artifact | undefined>;
}

/** The library's Interaction: a login of flows where one has to log in, a row of ours for a consent page. */
export function createInteractionAdapter(deps: InteractionDeps): Adapter {
  const { db, flows, units, load } = deps;
  return {
    ...unsupported,
    async upsert(_uid, payload) {
      units.current().interaction = payload;
    },
    async find(uid) {
      const login = await flows.findByContinuation(db, sha256(uid));
      const unit = units.current();
      unit.login = login;
      if (login?.user) unit.users.set(login.user.id, Promise.resolve(login.user));
      if (login) return fromLogin(deps, login, uid);
      const row = await load(uid);
      return row?.model === 'Interaction' ? fromConsent(deps, row, uid) : undefined;
    },
    /** Single use: of two returns from one login the second finds nothing. */
    async destroy(uid) {
      const { login, writes } = units.current();
      writes.push({
        guard: (handle) => (login ? flows.consuming(handle, login.id) : deleting(handle, sha256(uid))),
        lost: () => new AlreadyUsed(usedBefore()),
      });
    },
  };
}

async function fromLogin(
  deps: InteractionDeps,
  login: LoginRecord,
  uid: string,
): Promise<AdapterPayload | undefined> {
  if (!ended.has(login.status) || login.continuation.kind !== 'oidc') return undefined;
  const { hintedSubject, ...payload } = login.continuation.payload;
  const stored = withPushed(deps, payload);
  return { ...stored, jti: uid, result: await resultOf(deps, login, hintedSubject) };
}

/** An answer counts only in the session that was asked. Without it the request is looked at afresh. */
function fromConsent(deps: InteractionDeps, row: Artifact, uid: string): AdapterPayload {
  const { units } = deps;
  const { result, ...payload }: AdapterPayload = withPushed(deps, row.payload);
  const counts = result?.error !== undefined || units.current().browser?.session.id === row.session_id;
  return { ...payload, jti: uid, ...(result && counts ? { result } : {}) };
}

/** Only the hash of a pushed request's secret was kept. For this request alone, an alias leads to its row. */
function withPushed({ units }: InteractionDeps, payload: Record<string, unknown>): Record<string, unknown> {
  const { pushed, ...rest } = payload;
  if (typeof pushed !== 'string') return rest;
  const alias = randomUUID();
  units.current().aliases.set(alias, pushed);
  return { ...rest, parJti: alias };
}

async function resultOf(
  deps: InteractionDeps,
  { appId, status, result }: LoginRecord,
  hintedSubject: unknown,
): Promise<InteractionResults> {
  if (status !== 'finished' || result === null) {
    return { error: 'access_denied', error_description: 'the sign-in was not completed' };
  }
  if (typeof hintedSubject === 'string' && hintedSubject !== (await deps.subjectOf(appId, result.userId))) {
    const description = 'another user than the one of id_token_hint signed in';
    return { error: 'login_required', error_description: description };
  }
  const { userId: accountId, amr, acr, authTime } = result;
  const sessionId = await settle(deps, result);
  return { login: { accountId, ts: Math.floor(authTime / 1000), amr, acr, sessionId } };
}

/**
 * Which session a finished login goes on with. Another tab may have logged someone in meanwhile: another person's
 * session ends; of two of the same person the browser's stays, because the other tab's tokens hang on it.
 */
async function settle({ db, clock, sessions, units }: InteractionDeps, result: LoginResult): Promise<string> {
  const unit = units.current();
  const now = clock.now();
  const browser = unit.browser?.session;
  if (!browser || browser.id === result.sessionId) return result.sessionId;
  if (browser.userId !== result.userId) {
    unit.writes.push((tx) => sessions.revoke(tx, browser.id, 'replaced', now));
    forgetPerson(Provider.ctx);
    return result.sessionId;
  }
  const made = await sessions.find(db, result.sessionId, now);
  if (!made) return result.sessionId;
  unit.writes.push(async (tx) => {
    const kept = await sessions.strengthen(tx, browser.id, made.factors, now);
    if (!kept) throw new AlreadyUsed(new errors.SessionNotFound('the session has ended meanwhile'));
    await sessions.revoke(tx, made.id, 'merged', now);
  });
  return browser.id;
}

/** The library would log out the other person by a form that posts itself; ending the session here is enough. */
function forgetPerson(context: KoaContextWithOIDC | undefined): void {
  const session = context?.oidc.session;
  if (!session) return;
  Reflect.deleteProperty(session, 'accountId');
  Reflect.deleteProperty(session, 'authorizations');
}

/** The app has had its answer already; only a page can tell the person so. */
function usedBefore(): Error {
  const error = new errors.SessionNotFound('this sign-in was used already');
  error.allow_redirect = false;
  return error;
}
