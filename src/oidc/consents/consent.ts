import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AdapterPayload, InteractionResults } from 'oidc-provider';
import type { App, Apps } from '../../apps/types.ts';
import { sha256 } from '../../crypto/index.ts';
import type { ConsentView, ExpiredView, Http } from '../../http/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { Type } from '../../lib/schema.ts';
import { text } from '../../lib/texts.ts';
import type { Sessions } from '../../sessions/types.ts';
import type { Storage } from '../../storage/types.ts';
import type { Users } from '../../users/types.ts';
import { scopes } from '../adapters/clients.ts';
import { consentPath, returnPath } from '../pending.ts';
import { answerArtifact, findArtifact, saveConsent } from '../store.ts';
import { consentedScopes, consentKeyOf } from './grants.ts';
import { apiScope, needsConsent, permittedClaims, scopesOfClaim } from './resources.ts';

export const consentBody = Type.Object({ action: Type.Enum(['allow', 'deny']) });

export interface ConsentDeps {
  storage: Storage;
  clock: Clock;
  http: Http;
  apps: Apps;
  users: Users;
  sessions: Sessions;
}

interface Question {
  /** Public name of the pending request: the hash of its secret. */
  key: string;
  userId: string;
  app: App;
  payload: AdapterPayload;
  /** The secret of the pending request; the form's token is bound to it. */
  binding: string;
  /** The scopes that are asked for, of those that exist: by themselves, or by one of their claims. */
  asked: (typeof scopes)[number][];
  /** What is asked for at APIs. */
  apis: { name: string; audience: string; scopes: string[] }[];
}

type Consented = FastifyRequest<{ Params: { key: string } }>;

/** The page on which a person lets an app know who they are. */
export function createConsent(deps: ConsentDeps) {
  return {
    async ask(request: Consented, reply: FastifyReply): Promise<FastifyReply> {
      const question = await questionOf(deps, request);
      return question ? show(deps, question, request, reply) : expired(deps.http, request, reply);
    },

    async answer(request: Consented, reply: FastifyReply): Promise<FastifyReply> {
      const question = await questionOf(deps, request);
      if (!question) return expired(deps.http, request, reply);
      deps.http.forms.check(request, question.binding);
      const { action } = request.body as { action: 'allow' | 'deny' };
      const first = await settle(deps, question, action === 'allow');
      if (!first) return expired(deps.http, request, reply);
      return reply.redirect(returnPath(request.params.key, question.payload), 303);
    },
  };
}

/** Only in the browser that asks, and only while the person is logged in there whom it is about. */
async function questionOf(deps: ConsentDeps, request: Consented): Promise<Question | undefined> {
  const { clock, http, sessions, storage } = deps;
  const { key } = request.params;
  const binding = http.cookies.get(request, 'sp-consent', 'path');
  const cookie = http.cookies.get(request, 'sp-session', 'host');
  if (binding === undefined || cookie === undefined || sha256(binding) !== key) return undefined;
  const now = clock.now();
  const row = await findArtifact(storage.db, key);
  if (row?.model !== 'Interaction' || row.user_id === null || row.app_id === null) return undefined;
  if (row.consumed_at !== null || (row.expires_at !== null && row.expires_at <= now)) return undefined;
  const session = await sessions.findByCookie(storage.db, cookie, now);
  if (!session || session.id !== row.session_id) return undefined;
  const payload = row.payload as AdapterPayload;
  const app = await deps.apps.find(storage.db, row.app_id);
  if (!app) return undefined;
  return {
    key,
    userId: row.user_id,
    app,
    payload,
    binding,
    ...wishesOf(app, payload.params ?? {}),
  };
}

function wishesOf(app: App, params: Record<string, unknown>): Pick<Question, 'asked' | 'apis'> {
  const sent = new Set(String(params.scope ?? '').split(' '));
  const claims = permittedClaims(app, namesIn(params.claims)).filter(needsConsent);
  const ofClaims = new Set(claims.flatMap(scopesOfClaim).filter((scope) => app.scopes.includes(scope)));
  const audiences = [params.resource ?? []].flat();
  const apis = app.resources
    .filter(({ audience }) => audiences.includes(audience))
    .map((api) => ({ ...api, scopes: api.scopes.filter((scope) => sent.has(scope)) }));
  return {
    asked: scopes.filter((scope) => sent.has(scope) || ofClaims.has(scope)),
    apis: apis.filter((api) => api.scopes.length > 0),
  };
}

/** Names in the `claims` parameter, which was checked when it came. */
function namesIn(claims: unknown): string[] {
  if (typeof claims !== 'string') return [];
  const { userinfo, id_token: idToken } = JSON.parse(claims);
  return [...Object.keys(userinfo ?? {}), ...Object.keys(idToken ?? {})];
}

async function show(
  { http, storage, users }: ConsentDeps,
  { key, userId, app, payload, binding, asked, apis }: Question,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const user = await users.findById(storage.db, userId);
  if (!user) return expired(http, request, reply);
  const data: ConsentView = {
    actionUrl: consentPath(key),
    formToken: http.forms.token(binding),
    user: user.name ?? user.username,
    scopes: [
      ...asked.map((scope) => text(`consent.scope.${scope}`)),
      ...apis.map((api) => text('consent.scope.other', { scope: `${api.name}: ${api.scopes.join(', ')}` })),
    ],
  };
  const preferred = payload.params?.ui_locales;
  const locale = http.locale(request, typeof preferred === 'string' ? preferred : null);
  const title = text('consent.title');
  return http.page(request, reply, { view: 'oidc/consent', title, app, locale, data });
}

/** Writes the answer down. False when the question has been answered before. */
async function settle(
  { clock, storage }: ConsentDeps,
  { key, userId, app, payload, asked, apis }: Question,
  allowed: boolean,
): Promise<boolean> {
  const before = await consentedScopes(storage.db, userId, app.id);
  const ofApis = apis.flatMap((api) => api.scopes.map((scope) => apiScope(api.audience, scope)));
  const consent = {
    idHash: consentKeyOf(userId, app.id),
    userId,
    appId: app.id,
    scopes: [...new Set([...before, ...asked, ...ofApis])],
  };
  const result: InteractionResults = allowed
    ? { ...payload.lastSubmission, consent: {} }
    : { error: 'access_denied', error_description: 'the user did not agree' };
  const now = clock.now();
  return storage.transaction(async (tx) => {
    if (!(await answerArtifact(tx, key, { ...payload, result }, now))) return false;
    if (allowed) await saveConsent(tx, consent, now);
    return true;
  });
}

async function expired(http: Http, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const data: ExpiredView = { startUrl: null };
  return http.page(request, reply, {
    view: 'login/expired',
    title: text('expired.title'),
    status: 410,
    data,
  });
}
