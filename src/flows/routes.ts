import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { startUrlOf } from '../apps/index.ts';
import type { Apps } from '../apps/types.ts';
import { type Check, createCheck } from '../config/index.ts';
import type { Crypto } from '../crypto/types.ts';
import type { Guard } from '../guard/types.ts';
import type { ExpiredView, Http } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { text } from '../lib/texts.ts';
import { readJoined } from '../sessions/index.ts';
import type { Storage } from '../storage/types.ts';
import { allowOrigin, bindingOf, foreignOrigin, otherBrowser, requireJson } from './access.ts';
import { browserOf, deviceCookie, rememberedCookie } from './browser.ts';
import type { FlowCatalog } from './catalog.ts';
import { proofOf } from './logins/challenge.ts';
import type { Opened } from './logins/opened.ts';
import { type LoginsDeps, type Outcome, type Submission, submit } from './logins/submit.ts';
import type { Method } from './method.ts';
import { type Around, codeIdOf, leaveUrl, mayRecover, presentScreen, translated } from './pages/answers.ts';
import { widenPolicy } from './pages/challenge-screen.ts';
import { startRecovery } from './recovery/start.ts';
import type { FindLogin } from './store.ts';
import type { Flows } from './types.ts';

export interface RoutesDeps {
  storage: Storage;
  crypto: Crypto;
  clock: Clock;
  http: Http;
  apps: Apps;
  guard: Guard;
  issuer: URL;
  catalog: FlowCatalog;
  logins: LoginsDeps;
  findLogin: FindLogin;
  start: Flows['start'];
  browser: Flows['browser'];
}

const yearMs = 365 * 24 * 60 * 60_000;
/** The methods used last in this browser, the newest first; nothing secret. */
const waysCookie = 'sp-ways';

type LoginRequest = FastifyRequest<{ Params: { id: string } }>;

/** GET shows where a login stands and changes nothing; POST is the only way on. */
export const loginRoutes =
  (deps: RoutesDeps): FastifyPluginAsync =>
  async (app) => {
    app.get('/login/:id', async (request, reply) => show(deps, request as LoginRequest, reply));
    app.post('/login/:id', async (request, reply) => take(deps, request as LoginRequest, reply));
    app.options('/login/:id', async (request, reply) => preflight(deps, request as LoginRequest, reply));
  };

async function show(deps: RoutesDeps, request: LoginRequest, reply: FastifyReply): Promise<unknown> {
  const opened = await open(deps, request, reply);
  if (!opened) return gone(deps, request, reply, undefined);
  const binding = bindingOf(deps, request, opened.row);
  if (binding === null) return otherBrowser(deps, request, reply, opened.app);
  if (isOver(opened, deps.clock.now())) return gone(deps, request, reply, opened);
  return answer(deps, request, reply, opened, binding);
}

async function take(deps: RoutesDeps, request: LoginRequest, reply: FastifyReply): Promise<unknown> {
  const json = deps.http.wantsJson(request);
  const opened = await open(deps, request, reply);
  if (!opened) return gone(deps, request, reply, undefined);
  const binding = bindingOf(deps, request, opened.row);
  if (binding === null) return otherBrowser(deps, request, reply, opened.app);
  if (json)
    requireJson(request, deps.issuer, await foreignOrigin(deps.apps, deps.storage.db, request, opened.app));
  else deps.http.forms.check(request, binding);
  const now = deps.clock.now();
  if (isOver(opened, now)) return gone(deps, request, reply, opened);

  const body = bodyOf(request);
  const { row } = opened;
  if (row.status !== 'running') return leave(deps, reply, opened, json);
  if (Number(body.version) !== row.version) return again(deps, request, reply, opened, binding);
  if (body.action === 'recover' && mayRecover(deps.logins, row)) {
    const url = await startRecovery(deps, opened, request, reply, now);
    return json ? { next: new URL(url, deps.issuer).href } : reply.redirect(url, 303);
  }
  const outcome = await submit(deps.logins, opened, submissionOf(deps, request, opened, body), now);
  return conclude(deps, request, reply, { opened, binding, body, outcome });
}

async function conclude(
  deps: RoutesDeps,
  request: LoginRequest,
  reply: FastifyReply,
  { opened, binding, body, outcome }: { opened: Opened; binding: string; body: Body; outcome: Outcome },
): Promise<unknown> {
  const json = deps.http.wantsJson(request);
  switch (outcome.is) {
    case 'retry': {
      const { field, retryAt, text: sentence } = outcome;
      const seconds =
        retryAt && Math.max(1, Math.ceil((retryAt.getTime() - deps.clock.now().getTime()) / 1000));
      if (seconds !== null) reply.header('retry-after', String(seconds));
      const problem = { text: sentence, ...(field === null ? {} : { field }) };
      const { username = '', phone = '', country = '', remember = '' } = body;
      const around = { problem, typed: { username, phone, country, remember } };
      return answer(deps, request, reply, opened, binding, around, retryAt ? 429 : 422);
    }
    case 'show': {
      const present = outcome.opened ?? (json ? await read(deps, opened.row.id, undefined) : opened);
      return present ? again(deps, request, reply, present, binding) : gone(deps, request, reply, opened);
    }
    case 'ended': {
      const { row } = outcome;
      if (outcome.userId !== null) remember(deps, request, reply, outcome.userId, outcome.passed);
      if (outcome.remembered !== null) {
        deps.http.cookies.set(reply, rememberedCookie, outcome.remembered, { maxAgeMs: yearMs });
      }
      return row.status === 'failed'
        ? again(deps, request, reply, { ...opened, row }, binding)
        : leave(deps, reply, { ...opened, row }, json);
    }
  }
}

/** The present page: by redirect, so that reloading it sends nothing again; as JSON at once. */
async function again(
  deps: RoutesDeps,
  request: LoginRequest,
  reply: FastifyReply,
  opened: Opened,
  binding: string,
): Promise<unknown> {
  if (deps.http.wantsJson(request)) return answer(deps, request, reply, opened, binding);
  return reply.redirect(`/login/${opened.row.id}`, 303);
}

async function answer(
  deps: RoutesDeps,
  request: LoginRequest,
  reply: FastifyReply,
  opened: Opened,
  binding: string,
  around: Around = { problem: null, typed: {} },
  status = 200,
): Promise<unknown> {
  const { http, logins } = deps;
  const { row, app } = opened;
  const json = http.wantsJson(request);
  if (row.status === 'finished' || row.status === 'cancelled') return leave(deps, reply, opened, json);
  const preferred = waysOf(deps, request);
  const screen = await presentScreen(logins, opened, { ...around, preferred }, deps.clock.now());
  if (json) return { screen: translated(screen, (words) => http.translate(row.locale, words)) };
  if (screen.challenge) widenPolicy(reply, screen.challenge);
  return http.page(request, reply, {
    ...{ view: 'login/step', title: screen.heading, error: around.problem !== null, status, app },
    locale: row.locale,
    data: { screen, actionUrl: `/login/${row.id}`, formToken: http.forms.token(binding) },
  });
}

function leave(deps: RoutesDeps, reply: FastifyReply, { row, app }: Opened, json: boolean): unknown {
  const url = leaveUrl(row, app);
  return json ? { next: new URL(url, deps.issuer).href } : reply.redirect(url, 303);
}

async function gone(
  { http, issuer }: RoutesDeps,
  request: LoginRequest,
  reply: FastifyReply,
  opened: Opened | undefined,
): Promise<unknown> {
  if (http.wantsJson(request)) {
    const message = 'This sign-in took too long. Start again.';
    throw new Problem({ status: 410, code: 'login_expired', message });
  }
  const { app = null, row } = opened ?? {};
  const done = row?.status === 'consumed';
  const data: ExpiredView = { startUrl: app && startUrlOf(app, issuer), done };
  return http.page(request, reply, {
    ...{ view: 'login/expired', title: text(done ? 'expired.doneTitle' : 'expired.title'), status: 410, app },
    data,
  });
}

async function preflight(deps: RoutesDeps, request: LoginRequest, reply: FastifyReply): Promise<unknown> {
  await open(deps, request, reply, true);
  return reply
    .header('access-control-allow-methods', 'GET, POST')
    .header('access-control-allow-headers', 'content-type, accept')
    .header('access-control-max-age', '600')
    .code(204)
    .send();
}

/** The login with its flow and app; nothing when any of them is gone. */
async function open(
  deps: RoutesDeps,
  request: LoginRequest,
  reply: FastifyReply,
  asking = false,
): Promise<Opened | undefined> {
  reply.header('cache-control', 'no-store');
  const { apps, http, storage } = deps;
  const opened = await read(deps, request.params.id, http.cookies.get(request, rememberedCookie, 'host'));
  if (asking || http.wantsJson(request)) {
    allowOrigin(reply, await foreignOrigin(apps, storage.db, request, opened?.app));
  }
  return opened;
}

async function read(
  { storage, apps, catalog, clock, findLogin, logins }: RoutesDeps,
  id: string,
  remembered: string | undefined,
) {
  const { db } = storage;
  const now = clock.now();
  const asked = { id, deviceIds: logins.devices.namedBy(remembered), now };
  const found = /^lgn_[\w-]{22}$/.test(id) ? await findLogin(db, asked) : undefined;
  if (!found) return undefined;
  const { devices, message: state, session, user, ...row } = found;
  const [app, flow] = await Promise.all([apps.find(db, row.appId), catalog.version(db, row.flowVersionId)]);
  if (!app || !flow) return undefined;
  const owner = logins.services.users.fromJoined(user) ?? null;
  const codeId = codeIdOf(row.state);
  return {
    ...{ row, app, flow, user: owner, session: readJoined(session)?.session, devices: devices ?? [] },
    sent: codeId === null ? null : { codeId, state },
  } satisfies Opened;
}

const isOver = ({ row }: Opened, now: Date): boolean => row.status === 'consumed' || row.expiresAt <= now;

type Body = Record<string, string>;

/** The members that are strings; whatever else a client sends is not for us. */
function bodyOf(request: FastifyRequest): Body {
  const members = Object.entries((request.body ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    members.flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : typeof value === 'number' ? [[name, String(value)]] : [],
    ),
  );
}

const checks = new WeakMap<Method, Check>();

/** By what checks the configuration, too: a second one would take a tenth of the memory of a start. */
function checkOf(method: Method): Check {
  const check = checks.get(method) ?? createCheck(method.input);
  checks.set(method, check);
  return check;
}

function submissionOf(
  { crypto: _, guard, http, logins }: RoutesDeps,
  request: FastifyRequest,
  { row }: Opened,
  body: Body,
): Submission {
  const method = row.state.option === null ? undefined : logins.methods.get(row.state.option);
  const members = Object.keys((method?.input as { properties?: object } | undefined)?.properties ?? {});
  const values = Object.fromEntries(
    members.flatMap((name) => {
      const typed = body[name];
      // Blanks around a password are part of it.
      return typed === undefined ? [] : [[name, name === 'password' ? typed : typed.trim()]];
    }),
  );
  if (method && !checkOf(method)(values)) {
    throw new Problem({ status: 400, code: 'invalid_request', message: 'A field is longer than it may be.' });
  }
  const browser = browserOf(http, request);
  return {
    ...browser,
    ...{ action: body.action || 'submit', values, remember: body.remember === 'on' },
    proof: proofOf(row.state, body),
    deviceOf: (userId) => guard.readDevice(browser.deviceCookie, userId),
  };
}

function remember(
  { guard, http }: RoutesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  userId: string,
  passed: string[],
): void {
  const before = http.cookies.get(request, deviceCookie, 'host');
  http.cookies.set(reply, deviceCookie, guard.deviceToken(userId, before), { maxAgeMs: yearMs });
  const ways = passed.toReversed().join('.');
  if (ways) http.cookies.set(reply, waysCookie, ways, { maxAgeMs: yearMs });
}

const waysOf = ({ http, logins }: RoutesDeps, request: FastifyRequest): string[] =>
  (http.cookies.get(request, waysCookie, 'host') ?? '').split('.').filter((id) => logins.methods.has(id));
