import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Audit } from '../audit/types.ts';
import { sha256 } from '../crypto/index.ts';
import { newPasswordScreen } from '../flows/index.ts';
import type { Recovery, Screen } from '../flows/types.ts';
import type { Http } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import { type Text, text } from '../lib/texts.ts';
import { happened } from '../storage/index.ts';
import type { Storage } from '../storage/types.ts';
import { PasswordRefused, weaknessText } from '../users/index.ts';
import type { User, Users } from '../users/types.ts';
import { linkPath } from './links.ts';
import { findLink, usingLink } from './store.ts';

export interface LinkRoutesDeps {
  storage: Storage;
  clock: Clock;
  http: Http;
  audit: Audit;
  users: Users;
  recovery: Recovery;
}

type LinkRequest = FastifyRequest<{ Params: { token: string } }>;

const donePath = linkPath('done');

/** A link that an administrator gave out. Opening it changes nothing: only the form that it shows uses it up. */
export const linkRoutes =
  (deps: LinkRoutesDeps): FastifyPluginAsync =>
  async (app) => {
    app.get(donePath, async (request, reply) => said(deps, request, reply, 'done', 200));
    app.get(linkPath(':token'), async (request, reply) => show(deps, request as LinkRequest, reply));
    app.post(linkPath(':token'), async (request, reply) => take(deps, request as LinkRequest, reply));
  };

async function show(deps: LinkRoutesDeps, request: LinkRequest, reply: FastifyReply): Promise<unknown> {
  const user = await ownerOf(deps, request, deps.clock.now());
  return user ? form(deps, request, reply, user, null) : said(deps, request, reply, 'gone', 410);
}

async function take(deps: LinkRoutesDeps, request: LinkRequest, reply: FastifyReply): Promise<unknown> {
  const { clock, http } = deps;
  const { token } = request.params;
  http.forms.check(request, token);
  const now = clock.now();
  const user = await ownerOf(deps, request, now);
  if (!user) return said(deps, request, reply, 'gone', 410);
  const { password } = request.body as Record<string, unknown>;
  if (typeof password !== 'string' || password === '') {
    return form(deps, request, reply, user, text('people.empty'));
  }
  try {
    const used = await choose(deps, request, user, password, now);
    return used ? reply.redirect(donePath, 303) : said(deps, request, reply, 'gone', 410);
  } catch (error) {
    if (!(error instanceof PasswordRefused)) throw error;
    return form(deps, request, reply, user, weaknessText(error.weakness));
  }
}

/** Rolls the transaction back: the link was used, or the account went, at this very moment. */
class Late extends Error {}

/** False when somebody else was first. */
async function choose(
  { audit, http, recovery, storage }: LinkRoutesDeps,
  request: LinkRequest,
  user: User,
  password: string,
  now: Date,
): Promise<boolean> {
  const { ip, params } = request;
  const how = { by: 'link' as const, ip, locale: http.locale(request), loginId: null, password };
  const prepared = await recovery.prepare(user, how, now);
  try {
    await storage.transaction(async (tx) => {
      const used = await happened(tx, usingLink(tx, sha256(params.token), now));
      if (!used || !(await prepared.write(tx))) throw new Late();
      const userAgent = request.headers['user-agent'] ?? null;
      const event = { name: 'user.recovered', subject: user.id, ip, userAgent, data: { by: 'link' } };
      await audit.record(tx, now, [event]);
    });
  } catch (error) {
    if (error instanceof Late) return false;
    throw error;
  }
  prepared.send();
  return true;
}

/** A link is for who has no password: once there is one again, it is of no more use to whoever finds it. */
async function ownerOf(
  { storage, users }: LinkRoutesDeps,
  { params }: LinkRequest,
  now: Date,
): Promise<User | undefined> {
  if (!/^[\w-]{43}$/.test(params.token)) return undefined;
  const link = await findLink(storage.db, sha256(params.token), now);
  const user = link && (await users.findById(storage.db, link.userId));
  const { disabled = true, passwordChangedAt = null } = user ?? {};
  const isLate = link && passwordChangedAt !== null && passwordChangedAt > link.createdAt;
  return disabled || isLate ? undefined : user;
}

async function form(
  { clock, http }: LinkRoutesDeps,
  request: LinkRequest,
  reply: FastifyReply,
  { username }: User,
  fault: Text | null,
): Promise<unknown> {
  const { token } = request.params;
  const own = newPasswordScreen(username);
  const fields = own.fields.map((field) =>
    fault !== null && field.name === 'password' ? { ...field, error: fault } : field,
  );
  const at = clock.now().getTime();
  const screen: Screen = { ...own, fields, name: 'new-password', progress: null, version: 1, at };
  reply.header('cache-control', 'no-store');
  return http.page(request, reply, {
    ...{ view: 'login/step', title: screen.heading, error: fault !== null, status: fault ? 422 : 200 },
    data: { screen, actionUrl: linkPath(token), formToken: http.forms.token(token) },
  });
}

async function said(
  { http }: LinkRoutesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  what: 'done' | 'gone',
  status: number,
): Promise<unknown> {
  reply.header('cache-control', 'no-store');
  const heading = text(`people.${what}Heading`);
  return http.page(request, reply, {
    ...{ view: 'people/said', title: heading, status },
    data: { heading, sentence: text(`people.${what}Sentence`) },
  });
}
