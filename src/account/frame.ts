import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { widenPolicy } from '../flows/index.ts';
import { text } from '../lib/texts.ts';
import { accountId } from './app.ts';
import { comeBack, continuePath, startLogin, switchedOff, visitorOf } from './entrance.ts';
import { SignedOut } from './factors/change.ts';
import { type Flash, setFlash, takeFlash } from './flash.ts';
import { overviewPage } from './overview.ts';
import { wayBack } from './returning.ts';
import type { AccountDocument } from './settings.ts';
import { allows, standingOf } from './standing.ts';
import type {
  AccountDeps,
  AccountPage,
  Answer,
  Area,
  AreaRoutes,
  GetOptions,
  PostOptions,
  Submitted,
  Visit,
  Visitor,
} from './types.ts';

/** All pages below /account, with what holds for each of them. */
export const accountRoutes =
  (deps: AccountDeps, areas: readonly Area[]): FastifyPluginAsync =>
  async (app) => {
    app.addHook('onRequest', async () => {
      if (!settingsOf(deps).enabled) throw switchedOff();
    });
    app.get('/.well-known/change-password', async (_request, reply) =>
      reply.redirect('/account/password', 303),
    );
    app.get<{ Params: { key: string } }>(continuePath(':key'), async (request, reply) =>
      comeBack(deps, request, reply),
    );
    const routes = routesOf(deps, app);
    routes.get('', async (visit) => overviewPage(areas, visit));
    for (const area of areas) area.routes(routes);
  };

const settingsOf = ({ settings }: AccountDeps) => settings.get<AccountDocument>('account');
const pathOf = (path: string): string => (path === '' ? '/account' : `/account/${path}`);

const routesOf = (deps: AccountDeps, app: FastifyInstance): AreaRoutes => ({
  get: (path, handler, options = {}) =>
    void app.get(pathOf(path), async (request, reply) => show(deps, request, reply, options, handler)),
  post(path, options, handler) {
    const url = pathOf(path);
    const { page = path } = options;
    app.post(url, async (request, reply) => take(deps, request, reply, { ...options, page }, handler));
    // A telephone that comes back to a page asks for its address anew: after a mistake that of the form.
    if (!app.hasRoute({ method: 'GET', url })) {
      app.get(url, async (_request, reply) => reply.redirect(pathOf(page), 303));
    }
  },
});

async function show(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { sensitive = false }: GetOptions,
  handler: (visit: Visit) => Promise<Answer>,
): Promise<FastifyReply> {
  const now = deps.clock.now();
  const { session, visitor } = await visitorOf(deps, request, now);
  const to = request.url;
  if (!visitor) return startLogin(deps, request, reply, { to, session, stepUp: false });
  if (sensitive) {
    const standing = await standingOf(deps, visitor, deps.flows.browser(request), now);
    if (standing === 'due') return startLogin(deps, request, reply, { to, session, stepUp: true });
    if (!allows(standing, {}, settingsOf(deps))) return answer(deps, request, reply, visitor, {}, askHelp);
  }
  const flash = takeFlash(deps, request, reply, visitor.session.id);
  const visit = visitOf(deps, request, visitor, flash, now);
  return answer(deps, request, reply, visitor, flash, await handler(visit));
}

async function take(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { keeps = [], page, ...options }: PostOptions & { page: string },
  handler: (visit: Submitted) => Promise<Answer>,
): Promise<FastifyReply> {
  const now = deps.clock.now();
  const { session, visitor } = await visitorOf(deps, request, now);
  const to = pathOf(page);
  if (!visitor) return startLogin(deps, request, reply, { to, session, stepUp: false });
  deps.http.forms.check(request, visitor.session.id);
  const body = textsOf(request.body);
  if (options.sensitive) {
    const standing = await standingOf(deps, visitor, deps.flows.browser(request), now);
    const typed = Object.fromEntries(
      Object.entries(body).filter(([name, value]) => keeps.includes(name) && value.length <= longestKept),
    );
    if (standing === 'due') return startLogin(deps, request, reply, { to, session, stepUp: true, typed });
    if (!allows(standing, options, settingsOf(deps))) {
      return answer(deps, request, reply, visitor, {}, askHelp);
    }
  }
  const visit = { ...visitOf(deps, request, visitor, {}, now), body };
  try {
    return await answer(deps, request, reply, visitor, {}, await handler(visit));
  } catch (error) {
    if (!(error instanceof SignedOut)) throw error;
    return startLogin(deps, request, reply, { to, session: undefined, stepUp: false });
  }
}

/** A cookie carries it to the form. */
const longestKept = 200;

/** Whoever cannot show a second factor is not left standing there. */
const askHelp: Answer = {
  page: { view: 'account/ask-help', title: text('account.askTitle'), status: 403, data: {} },
};

function visitOf(
  { devices, flows, guard, http }: AccountDeps,
  request: FastifyRequest,
  { session, user }: Visitor,
  { typed = {} }: Flash,
  now: Date,
): Visit {
  const { deviceCookie, rememberedCookie } = flows.browser(request);
  const { ip } = request;
  const userAgent = request.headers['user-agent'] ?? null;
  return {
    ...{ user, session, now, typed, locale: http.locale(request) },
    by: { appId: accountId, sessionId: session.id, ip, userAgent },
    params: textsOf(request.params),
    query: textsOf(request.query),
    deviceId: guard.readDevice(deviceCookie, user.id),
    rememberedId: devices.idOf(rememberedCookie, user.id),
  };
}

/** What is no text, another client has sent. Blanks around a password are part of it. */
function textsOf(members: unknown): Record<string, string> {
  const entries = Object.entries((members ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    entries.flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, /password/i.test(name) ? value : value.trim()]] : [],
    ),
  );
}

async function answer(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  visitor: Visitor,
  flash: Flash,
  answered: Answer,
): Promise<FastifyReply> {
  if ('page' in answered) return draw(deps, request, reply, visitor, flash, answered.page);
  if ('file' in answered) {
    const { content, name, type } = answered.file;
    return reply
      .header('cache-control', 'no-store')
      .header('content-disposition', `attachment; filename="${name}"`)
      .type(type)
      .send(content);
  }
  if (answered.done) setFlash(deps, reply, { done: answered.done }, visitor.session.id);
  return reply.redirect(answered.to, 303);
}

async function draw(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { session }: Visitor,
  flash: Flash,
  { challenge, data, notices = [], ...page }: AccountPage,
): Promise<FastifyReply> {
  const { apps, http, storage } = deps;
  const { db } = storage;
  const done = flash.done ? [{ tone: 'success' as const, text: flash.done }] : [];
  const frame = {
    token: http.forms.token(session.id),
    notices: [...done, ...notices],
    overview: page.view === 'account/overview',
    back: await wayBack({ apps, db, http }, request, reply),
  };
  const app = (await apps.find(db, accountId)) ?? null;
  if (challenge) widenPolicy(reply, challenge);
  return http.page(request, reply, { ...page, app, data: { ...data, frame } });
}
