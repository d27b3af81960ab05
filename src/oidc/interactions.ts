import Provider, {
  type Adapter,
  type AdapterPayload,
  errors,
  type Interaction,
  type InteractionResults,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { App, Apps } from '../apps/types.ts';
import { sha256 } from '../crypto/index.ts';
import type { Flows, LoginRecord, LoginResult } from '../flows/types.ts';
import type { Http } from '../http/types.ts';
import { after, type Clock } from '../lib/clock.ts';
import type { Sessions } from '../sessions/types.ts';
import type { Db } from '../storage/types.ts';
import { unsupported } from './artifacts.ts';
import { type Artifact, deleteArtifact } from './store.ts';
import { AlreadyUsed, requestOf, type Units } from './unit.ts';

export interface InteractionsDeps {
  issuer: URL;
  db: Db;
  clock: Clock;
  http: Http;
  apps: Apps;
  flows: Flows;
  sessions: Sessions;
  units: Units;
  /** A row by its secret, read once per request. */
  load(secret: string): Promise<Artifact | undefined>;
}

/** How long a consent page may stay open. A login's time is decided by flows. */
export const interactionSeconds = 15 * 60;

/** Where the browser comes back to. The key is public; the secret that goes with it is in the cookie of this path. */
export const resumePath = (key: string): string => `/authorize/${key}`;
export const consentPath = (key: string): string => `/consent/${key}`;

/** A login that is still open, or whose result was fetched before, has nothing to give. */
const ended = new Set(['finished', 'cancelled', 'failed']);

/** Parameters that may hold a phone number or a token, and have done their work when a login starts. */
const spentParams = new Set(['login_hint', 'id_token_hint']);

/**
 * What is kept of a pending authorization. The secret (`jti`, also within `returnTo`), the session's cookie and hints
 * are not: they are put back from the cookie, or not needed any more.
 */
function storable(
  payload: Record<string, unknown>,
  hintedSubject: string | undefined,
): Record<string, unknown> {
  const { params, prompt, lastSubmission, trusted, cid, iat, exp } = payload as AdapterPayload;
  return {
    kind: 'Interaction',
    params: Object.fromEntries(Object.entries(params ?? {}).filter(([key]) => !spentParams.has(key))),
    prompt: { name: prompt?.name ?? '', reasons: [], details: {} },
    ...(lastSubmission === undefined ? {} : { lastSubmission }),
    ...(hintedSubject === undefined ? {} : { hintedSubject }),
    trusted,
    cid,
    iat,
    exp,
  };
}

/** The library's Interaction: a login of flows where one has to log in, a row of ours for a consent page. */
export function createInteractions(deps: InteractionsDeps) {
  const { db, clock, http, apps, flows, sessions, units, load } = deps;

  async function startLogin(context: KoaContextWithOIDC, app: App, key: string): Promise<string> {
    const { params = {}, entities } = context.oidc;
    const { browser, interaction } = units.current();
    const request = requestOf(context);
    const hinted = entities.IdTokenHint?.payload.sub;
    const words = (value: unknown) => (typeof value === 'string' ? value.split(' ').filter(Boolean) : []);
    const { loginId, path, binding } = await flows.start(
      db,
      {
        app,
        continuation: {
          kind: 'oidc',
          resumeUrl: new URL(resumePath(key), deps.issuer).href,
          payload: storable(interaction ?? {}, typeof hinted === 'string' ? hinted : undefined),
        },
        continuationKey: key,
        session: browser?.session,
        fresh: context.oidc.promptPending('login'),
        maxAgeMs: params.max_age === undefined ? null : Number(params.max_age) * 1000,
        acr: words(params.acr_values),
        loginHint: typeof params.login_hint === 'string' ? params.login_hint : null,
        locale: http.locale(request, typeof params.ui_locales === 'string' ? params.ui_locales : null),
        ip: request.ip,
        userAgent: request.headers['user-agent'] ?? null,
      },
      clock.now(),
    );
    context.cookies.set(http.cookies.name('sp-login', 'path'), binding, {
      path,
      httpOnly: true,
      sameSite: 'lax',
      maxAge: interactionSeconds * 1000,
      overwrite: true,
    });
    if (app.loginUrl === null) return path;
    const url = new URL(app.loginUrl);
    url.searchParams.set('login', loginId);
    return url.href;
  }

  function openConsent(context: KoaContextWithOIDC, app: App, key: string): string {
    const { session } = context.oidc;
    const unit = units.current();
    const now = clock.now();
    unit.inserts.push({
      id_hash: key,
      model: 'Interaction',
      grant_id: null,
      session_id: session?.uid ?? null,
      user_id: session?.accountId ?? null,
      app_id: app.id,
      payload: storable(unit.interaction ?? {}, undefined),
      consumed_at: null,
      created_at: now,
      expires_at: after(now, interactionSeconds * 1000),
    });
    return consentPath(key);
  }

  /** Where the browser is sent, called right after the library has handed over the interaction. */
  async function url(context: KoaContextWithOIDC, interaction: Interaction): Promise<string> {
    const app = await apps.find(db, context.oidc.client?.clientId ?? '');
    if (!app) throw new errors.InvalidClient('client is invalid');
    const key = sha256(interaction.uid);
    return interaction.prompt.name === 'login'
      ? startLogin(context, app, key)
      : openConsent(context, app, key);
  }

  /**
   * Which session a finished login goes on with. Another tab may have logged someone in meanwhile: another person's
   * session ends; of two of the same person the browser's stays, because the other tab's tokens hang on it.
   */
  async function settle(result: LoginResult): Promise<string> {
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
      await sessions.strengthen(tx, browser.id, made.factors, now);
      await sessions.revoke(tx, made.id, 'merged', now);
    });
    return browser.id;
  }

  async function resultOf(login: LoginRecord, hintedSubject: unknown): Promise<InteractionResults> {
    const { result } = login;
    if (login.status !== 'finished' || result === null) {
      return { error: 'access_denied', error_description: 'the sign-in was not completed' };
    }
    if (typeof hintedSubject === 'string' && hintedSubject !== result.userId) {
      return {
        error: 'login_required',
        error_description: 'another user than the one of id_token_hint signed in',
      };
    }
    const { userId: accountId, amr, acr } = result;
    const sessionId = await settle(result);
    return { login: { accountId, ts: Math.floor(result.authTime / 1000), amr, acr, sessionId } };
  }

  async function fromLogin(login: LoginRecord, uid: string): Promise<AdapterPayload | undefined> {
    if (!ended.has(login.status) || login.continuation.kind !== 'oidc') return undefined;
    const { hintedSubject, ...payload } = login.continuation.payload;
    return { ...payload, jti: uid, result: await resultOf(login, hintedSubject) };
  }

  /** An answer counts only in the session that was asked. Without it the request is looked at afresh. */
  function fromConsent(row: Artifact, uid: string): AdapterPayload {
    const { result, ...payload } = row.payload as AdapterPayload;
    const counts = result?.error !== undefined || units.current().browser?.session.id === row.session_id;
    return { ...payload, jti: uid, ...(result && counts ? { result } : {}) };
  }

  const adapter: Adapter = {
    ...unsupported,
    async upsert(_uid, payload) {
      units.current().interaction = payload as Record<string, unknown>;
    },
    async find(uid) {
      const login = await flows.findByContinuation(db, sha256(uid));
      units.current().login = login;
      if (login) return fromLogin(login, uid);
      const row = await load(uid);
      return row?.model === 'Interaction' ? fromConsent(row, uid) : undefined;
    },
    /** Single use: of two returns from one login the second finds nothing. */
    async destroy(uid) {
      const { login, writes } = units.current();
      writes.push(async (tx) => {
        const first = login
          ? await flows.consume(tx, login.id, clock.now())
          : await deleteArtifact(tx, sha256(uid));
        if (!first) throw new AlreadyUsed(usedBefore());
      });
    },
  };
  return { adapter, url };
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
