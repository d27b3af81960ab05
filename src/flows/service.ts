import type { FastifyPluginAsync } from 'fastify';
import type { Apps } from '../apps/types.ts';
import type { Audit } from '../audit/types.ts';
import type { Settings } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import type { Delivery } from '../delivery/types.ts';
import type { Guard } from '../guard/types.ts';
import type { Http } from '../http/types.ts';
import { after, type Clock } from '../lib/clock.ts';
import { newId, newSecret, type RandomSource } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { type OtpDocument, otpSettings } from '../otp/index.ts';
import type { Otp } from '../otp/types.ts';
import { oldestFactorMs } from '../sessions/index.ts';
import type { Sessions } from '../sessions/types.ts';
import type { Db, Storage } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import { createFlowCatalog, type FlowCatalog } from './catalog.ts';
import { advance, survey } from './engine/advance.ts';
import { describe } from './engine/describe.ts';
import { type Facts, firstState, type LoginState } from './engine/state.ts';
import { gatherPerson, methodsAhead } from './logins/facts.ts';
import type { LoginsDeps } from './logins/submit.ts';
import type { Services } from './method.ts';
import { methods } from './methods/index.ts';
import { loginRoutes } from './routes.ts';
import { consuming, findByContinuationKey, insertLogin, isRunning } from './store.ts';
import type { Flow, Flows, StartLogin } from './types.ts';

/** How long one sign-in may take. Not prolonged by anything. */
const lifetimeMs = 15 * 60_000;

export interface FlowsDeps {
  storage: Storage;
  crypto: Crypto;
  clock: Clock;
  random: RandomSource;
  log: Logger;
  http: Http;
  users: Users;
  apps: Apps;
  guard: Guard;
  delivery: Delivery;
  otp: Otp;
  sessions: Sessions;
  audit: Audit;
  settings: Settings;
  issuer: URL;
}

/** Logins, and the routes that run them. Listens to what becomes of the messages that logins send. */
export function createFlows(deps: FlowsDeps): Flows & { plugin: FastifyPluginAsync } {
  const { storage, otp, delivery } = deps;
  const catalog = createFlowCatalog(storage.revisions);
  const services: Services = {
    ...{ db: storage.db, counters: storage.counters, crypto: deps.crypto, users: deps.users },
    ...{ guard: deps.guard, otp, delivery },
    codes: (overrides) => otpSettings(deps.settings.get<OtpDocument>('otp'), overrides),
  };
  const logins: LoginsDeps = { ...deps, services, methods, translate: deps.http.translate };

  delivery.onOutcome((db, { reference, purpose }, { status }, now) => {
    if (purpose !== 'login-code' && purpose !== 'enrol-code') return [];
    if (status === 'accepted') return [otp.accepting(db, reference, now)];
    // An unknown outcome leaves both codes valid: either message may be the one that arrives.
    return status === 'unknown' ? [] : [otp.dropping(db, reference, now)];
  });

  delivery.onFollowUp(async (db, { loginId, purpose, reference }, now) => {
    if (purpose !== 'login-code' && purpose !== 'enrol-code') return true;
    return loginId !== null && (await otp.isLive(db, reference, now)) && (await isRunning(db, loginId, now));
  });

  return {
    start: (db, request, now) => start({ ...deps, catalog, services }, db, request, now),

    async findByContinuation(db, continuationKey) {
      const login = await findByContinuationKey(db, continuationKey);
      if (!login || login.status === 'consumed') return undefined;
      return { ...login, status: login.status, user: deps.users.fromJoined(login.user) };
    },

    consuming,

    async satisfies(db, { session, user, app, acr, maxAgeMs }, now) {
      if (user.disabled || session.userId !== user.id) return false;
      const flow = await catalog.published(db, app.flow);
      const state = firstState({
        ...{ subject: { userId: user.id, name: null }, counts: true, acr, hint: null },
        maxAgeMs: oldestFactorMs(session, app.sessions, maxAgeMs, now),
      });
      const facts = await factsOf(services, db, flow, state, { user, session }, now);
      const { at, proved } = survey(flow, state, facts);
      return at === null && proved;
    },

    describe,
    plugin: loginRoutes({ ...deps, catalog, logins }),
  };
}

async function start(
  deps: FlowsDeps & { catalog: FlowCatalog; services: Services },
  db: Db,
  request: StartLogin,
  now: Date,
): Promise<{ loginId: string; path: string; binding: string }> {
  const { catalog, crypto, random, services } = deps;
  const { app, continuation, continuationKey, fresh, locale, ip, userAgent } = request;
  const flow = await catalog.published(db, app.flow);
  const loginId = newId('lgn', random);
  const binding = newSecret(random);
  const known = request.session && !fresh ? await deps.users.findById(db, request.session.userId) : undefined;
  const user = known?.disabled ? undefined : known;
  const seal = (name: string | null) => (name === null ? null : crypto.seal('identifier', name, loginId));
  const initial = firstState({
    subject: user ? { userId: user.id, name: seal(user.username) } : null,
    counts: user !== undefined,
    maxAgeMs: oldestFactorMs(request.session, app.sessions, request.maxAgeMs, now),
    acr: request.acr,
    hint: seal(request.loginHint),
  });
  const facts = await factsOf(services, db, flow, initial, { user, session: request.session }, now);
  const { state } = advance(flow, initial, { type: 'start' }, facts);
  const about = { appId: app.id, loginId, ip, userAgent, subject: user?.id ?? null };
  const started = [{ name: 'login.started', ...about, data: { flow: flow.id } }];
  const row = {
    ...{ id: loginId, appId: app.id, flowVersionId: flow.versionId, state, continuation, continuationKey },
    ...{ locale, ip, userAgent, createdAt: now, expiresAt: after(now, lifetimeMs) },
    userId: user?.id ?? null,
    sessionId: request.session?.id ?? null,
    bindingHash: crypto.mac('login-binding', loginId, binding),
  };
  await insertLogin(db, row, deps.audit.riders(db, now, started));
  return { loginId, path: `/login/${loginId}`, binding };
}

async function factsOf(
  services: Services,
  db: Db,
  flow: Flow,
  state: LoginState,
  { user, session }: { user: User | undefined; session: StartLogin['session'] },
  now: Date,
): Promise<Facts> {
  const person = user ? await gatherPerson(services, db, user, methodsAhead(flow, state, methods)) : null;
  return { now: now.getTime(), methods, person, session: session ?? null };
}
