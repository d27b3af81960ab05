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
import type { Notices } from '../notices/types.ts';
import { type OtpDocument, otpSettings } from '../otp/index.ts';
import type { Otp } from '../otp/types.ts';
import { oldestFactorMs } from '../sessions/index.ts';
import type { Devices, Sessions } from '../sessions/types.ts';
import type { Db, Storage } from '../storage/types.ts';
import type { Users } from '../users/types.ts';
import { browserOf } from './browser.ts';
import { type BuiltInFlows, createFlowCatalog, type FlowCatalog } from './catalog.ts';
import { isEnough } from './documents/password-alone.ts';
import { advance } from './engine/advance.ts';
import { describe } from './engine/describe.ts';
import { shownAfter } from './engine/shown.ts';
import { firstState } from './engine/state.ts';
import { lifetimeMs } from './lifetime.ts';
import { type FactsDeps, gatherFacts, gatherPerson, methodsAhead, methodsOf } from './logins/facts.ts';
import { askingFirst, firstAsked } from './logins/grace.ts';
import type { LoginsDeps } from './logins/submit.ts';
import type { Effect, Services } from './method.ts';
import { createPolicies } from './policies.ts';
import { recoveryFlow } from './recovery/flow.ts';
import { allMethods as methods } from './recovery/methods.ts';
import { recoveryChannels } from './recovery/start.ts';
import { loginRoutes } from './routes.ts';
import { createSatisfies } from './satisfies.ts';
import { consuming, findByContinuationKey, findingLogin, insertLogin, isRunning } from './store.ts';
import type { Flows, Recovery, StartLogin } from './types.ts';

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
  devices: Devices;
  audit: Audit;
  settings: Settings;
  issuer: URL;
  /** Tells people of sign-ins; default: nobody is told of any. */
  notices?: Notices;
  /** Flows of the gateway's own pages; default: none. */
  builtIn?: BuiltInFlows;
  /** Default: forgotten passwords are not replaced here. */
  recovery?: Recovery;
}

/** What the messages are for that carry codes of logins. */
const codes = new Set<string>(['login-code', 'enrol-code', 'reset-code'] satisfies Effect['purpose'][]);

/** Logins, and the routes that run them. Listens to what becomes of the messages that logins send. */
export function createFlows(deps: FlowsDeps): Flows & { plugin: FastifyPluginAsync } {
  const { storage, otp, delivery } = deps;
  const catalog = createFlowCatalog(storage.revisions, (id) => recoveryFlow(id) ?? deps.builtIn?.(id));
  const services: Services = {
    ...{ db: storage.db, counters: storage.counters, crypto: deps.crypto, users: deps.users },
    ...{ guard: deps.guard, otp, delivery, random: deps.random, recovery: deps.recovery },
    gateway: () => deps.settings.get<string>('name'),
    codes: (overrides) => otpSettings(deps.settings.get<OtpDocument>('otp'), overrides),
  };
  const logins: LoginsDeps = {
    ...{ ...deps, services, methods, translate: deps.http.translate },
    recoveryChannels: () => (deps.recovery ? recoveryChannels(deps.settings, delivery) : []),
  };

  const findLogin = findingLogin({ devices: deps.devices.joined, message: delivery.stateValue });

  followMessages(deps);

  const begin: Flows['start'] = (db, request, now) =>
    start({ ...deps, ...logins, catalog }, db, request, now);
  const browser: Flows['browser'] = (request) => browserOf(deps.http, request);

  return {
    start: begin,

    async findByContinuation(db, continuationKey) {
      const login = await findByContinuationKey(db, continuationKey);
      if (!login || login.status === 'consumed') return undefined;
      return { ...login, status: login.status, user: deps.users.fromJoined(login.user) };
    },

    consuming,

    satisfies: createSatisfies(catalog, logins),

    async passwordAlone(db, user) {
      const apps = (await deps.apps.list(db)).filter(({ enabled, flow }) => enabled && flow !== '');
      const ids = [...new Set(apps.map(({ flow }) => flow))];
      const now = deps.clock.now().getTime();
      const flows = (await Promise.all(ids.map((id) => catalog.taken(db, id)))).flat();
      const found = flows.map(async (flow) => {
        const lasting = methodsOf(flow.steps, methods).filter(({ kind }) => kind !== 'recovery');
        const [person, asked] = await Promise.all([
          gatherPerson(deps, db, user, lasting),
          firstAsked(db, flow, user),
        ]);
        return isEnough(flow, person, { asked, now }) ? [flow.id] : [];
      });
      return [...new Set((await Promise.all(found)).flat())];
    },

    ...createPolicies({ catalog, methods, services }),

    browser,
    describe,
    plugin: loginRoutes({ ...deps, catalog, logins, findLogin, browser, start: begin }),
  };
}

/** What becomes of messages decides which codes are valid, and whether the next message of a chain is still of use. */
function followMessages({ delivery, otp }: FlowsDeps): void {
  delivery.onOutcome((db, { reference, purpose }, { status }, now) => {
    if (!codes.has(purpose)) return [];
    if (status === 'accepted') return [otp.accepting(db, reference, now)];
    // An unknown outcome leaves both codes valid: either message may be the one that arrives.
    return status === 'unknown' ? [] : [otp.dropping(db, reference, now)];
  });

  delivery.onFollowUp(async (db, { loginId, purpose, reference }, now) => {
    if (!codes.has(purpose)) return true;
    if (!(await otp.isLive(db, reference, now))) return false;
    return loginId === null || (await isRunning(db, loginId, now));
  });
}

async function start(
  deps: FactsDeps & Pick<FlowsDeps, 'audit' | 'crypto' | 'random' | 'users'> & { catalog: FlowCatalog },
  db: Db,
  request: StartLogin,
  now: Date,
): Promise<{ loginId: string; path: string; binding: string }> {
  const { catalog, crypto, random } = deps;
  const { app, continuation, continuationKey, fresh, locale, ip, userAgent } = request;
  const flow = await catalog.current(db, app.flow, request);
  const loginId = newId('lgn', random);
  const binding = newSecret(random);
  const known = request.session && !fresh ? await deps.users.findById(db, request.session.userId) : undefined;
  const user = known?.disabled ? undefined : known;
  const seal = (name: string | null) => (name === null ? null : crypto.seal('identifier', name, loginId));
  const initial = firstState({
    subject: user ? { userId: user.id, name: seal(user.username) } : null,
    counts: user !== undefined,
    maxAgeMs: oldestFactorMs(request.session, app.sessions, request.maxAgeMs, now),
    wantsFresh: request.maxAgeMs !== null,
    acr: request.acr,
    hint: seal(request.loginHint),
  });
  const asked = user ? methodsAhead(flow, initial, methods) : [];
  const moment = { app, flow, user: user ?? null, session: request.session, browser: request, asked };
  const { facts } = await gatherFacts(deps, db, moment, now);
  const { state, records } = advance(flow, initial, { type: 'start' }, facts);
  const about = { appId: app.id, loginId, ip, userAgent, subject: user?.id ?? null };
  const started = { name: 'login.started', data: { flow: flow.id, version: flow.version } };
  const events = [started, ...records, ...shownAfter(null, state)].map((event) => ({ ...about, ...event }));
  const row = {
    ...{ id: loginId, appId: app.id, flowVersionId: flow.versionId, state, continuation, continuationKey },
    ...{ locale, ip, userAgent, createdAt: now, expiresAt: after(now, lifetimeMs) },
    userId: user?.id ?? null,
    sessionId: request.session?.id ?? null,
    bindingHash: crypto.mac('login-binding', loginId, binding),
  };
  const riders = [...deps.audit.riders(db, now, events), ...askingFirst(db, flow, state, now)];
  await insertLogin(db, row, riders);
  return { loginId, path: `/login/${loginId}`, binding };
}
