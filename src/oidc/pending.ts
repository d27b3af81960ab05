import { type AdapterPayload, errors, type Interaction, type KoaContextWithOIDC } from 'oidc-provider';
import type { App, Apps } from '../apps/types.ts';
import { sha256 } from '../crypto/index.ts';
import type { Flows, StartLogin } from '../flows/types.ts';
import type { Http } from '../http/types.ts';
import { after, type Clock } from '../lib/clock.ts';
import type { Db } from '../storage/types.ts';
import { deviceResumePath } from './devices/pages.ts';
import { demandedSubject, demandsOf } from './requests.ts';
import { prolongArtifact } from './store.ts';
import { requestOf, type Units } from './unit.ts';

/** How long a consent page may stay open. A login's time is decided by flows. */
export const interactionSeconds = 15 * 60;

/** Longer than a login or a consent page may stay open. */
const longestWaitMs = 3_600_000;

/** Where the browser comes back to. The key is public; the secret that goes with it is in the cookie of this path. */
export const resumePath = (key: string): string => `/authorize/${key}`;
/** The same, for whatever waits: an application, or a device. */
export const returnPath = (key: string, { deviceCode }: { deviceCode?: unknown } = {}): string =>
  deviceCode === undefined ? resumePath(key) : deviceResumePath(key);
export const consentPath = (key: string): string => `/consent/${key}`;

/** Parameters that may hold a phone number or a token, and have done their work when a login starts. */
const spentParams = new Set(['login_hint', 'id_token_hint']);

export interface PendingDeps {
  issuer: URL;
  db: Db;
  clock: Clock;
  http: Http;
  apps: Apps;
  flows: Flows;
  units: Units;
}

/** Sends the browser to a login or to the consent page, and keeps the authorization that waits for it. */
export function createPending(deps: PendingDeps) {
  const { db, apps } = deps;
  return {
    /** The library's `interactions.url`: called right after it has handed over the interaction. */
    async url(context: KoaContextWithOIDC, interaction: Interaction): Promise<string> {
      const app = await apps.find(db, context.oidc.client?.clientId ?? '');
      if (!app) throw new errors.InvalidClient('client is invalid');
      const key = sha256(interaction.uid);
      keepPushed(deps);
      return interaction.prompt.name === 'login'
        ? startLogin(deps, context, app, key)
        : openConsent(deps, context, app, key);
    },
  };
}

async function startLogin(
  deps: PendingDeps,
  context: KoaContextWithOIDC,
  app: App,
  key: string,
): Promise<string> {
  const { clock, db, flows, http } = deps;
  const request = loginRequest(deps, context, app, key);
  const { loginId, path, binding } = await flows.start(db, request, clock.now());
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

function loginRequest(deps: PendingDeps, context: KoaContextWithOIDC, app: App, key: string): StartLogin {
  const { params = {}, entities } = context.oidc;
  const { browser, interaction } = deps.units.current();
  const request = requestOf(context);
  const { login_hint: hint, ui_locales: locales } = params;
  const hintedSubject = entities.IdTokenHint?.payload.sub ?? demandedSubject(params);
  return {
    app,
    continuation: {
      kind: 'oidc',
      resumeUrl: new URL(returnPath(key, interaction), deps.issuer).href,
      payload: {
        ...storable(deps.units, interaction),
        ...(typeof hintedSubject === 'string' && { hintedSubject }),
      },
    },
    continuationKey: key,
    session: browser?.session,
    fresh: context.oidc.promptPending('login'),
    ...demandsOf(params),
    loginHint: typeof hint === 'string' ? hint : null,
    locale: deps.http.locale(request, typeof locales === 'string' ? locales : null),
    ...deps.flows.browser(request),
  };
}

function openConsent(deps: PendingDeps, context: KoaContextWithOIDC, app: App, key: string): string {
  const { session } = context.oidc;
  const unit = deps.units.current();
  const now = deps.clock.now();
  unit.inserts.push({
    id_hash: key,
    model: 'Interaction',
    grant_id: null,
    session_id: session?.uid ?? null,
    user_id: session?.accountId ?? null,
    app_id: app.id,
    payload: storable(deps.units, unit.interaction),
    consumed_at: null,
    created_at: now,
    expires_at: after(now, interactionSeconds * 1000),
  });
  return consentPath(key);
}

/** The row of a pushed request, if this is one, by the hash of its secret. */
function pushedOf(units: Units, { parJti }: AdapterPayload = {}): string | undefined {
  return parJti === undefined ? undefined : (units.current().aliases.get(parJti) ?? sha256(parJti));
}

/**
 * A pushed request is used up when the app gets its code, which the person may delay: until then the row has to stay,
 * or one request could end in two codes. Its own time to be used in is in the payload.
 */
function keepPushed({ units, clock }: PendingDeps): void {
  const unit = units.current();
  const pushed = pushedOf(units, unit.interaction);
  if (pushed === undefined) return;
  unit.writes.push((tx) => prolongArtifact(tx, pushed, after(clock.now(), longestWaitMs)));
}

/**
 * What is kept of a pending authorization. The secret (`jti`, also within `returnTo`), the session's cookie and hints
 * are not: they are put back from the cookie, or not needed any more.
 */
function storable(units: Units, payload: AdapterPayload = {}): Record<string, unknown> {
  const { params, prompt, lastSubmission, trusted, cid, iat, exp, deviceCode } = payload;
  const pushed = pushedOf(units, payload);
  return {
    kind: 'Interaction',
    params: Object.fromEntries(Object.entries(params ?? {}).filter(([key]) => !spentParams.has(key))),
    prompt: { name: prompt?.name ?? '', reasons: [], details: {} },
    ...(lastSubmission === undefined ? {} : { lastSubmission }),
    ...(pushed === undefined ? {} : { pushed }),
    // Never the secret: of the device's code only a hash is known where a person answers.
    ...(deviceCode === undefined ? {} : { deviceCode }),
    trusted,
    cid,
    iat,
    exp,
  };
}
