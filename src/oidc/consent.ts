import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AdapterPayload, InteractionResults } from 'oidc-provider';
import { Type } from 'typebox';
import type { Apps } from '../apps/types.ts';
import { sha256 } from '../crypto/index.ts';
import type { ConsentView, ExpiredView, Http } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import { type Text, text } from '../lib/texts.ts';
import type { Sessions } from '../sessions/types.ts';
import type { Storage } from '../storage/types.ts';
import type { Users } from '../users/types.ts';
import { consentedScopes, consentKeyOf } from './accounts.ts';
import { scopes } from './clients.ts';
import { consentPath, resumePath } from './interactions.ts';
import { type Artifact, answerArtifact, findArtifact, saveConsent } from './store.ts';

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
  row: Artifact;
  userId: string;
  appId: string;
  payload: AdapterPayload;
  /** The secret of the pending request; the form's token is bound to it. */
  binding: string;
  asked: string[];
}

type Consented = FastifyRequest<{ Params: { key: string } }>;

/** The page on which a person lets an app know who they are. */
export function createConsent({ storage, clock, http, apps, users, sessions }: ConsentDeps) {
  const { db } = storage;

  /** Only in the browser that asks, and only while the person is logged in there whom it is about. */
  async function questionOf(request: Consented): Promise<Question | undefined> {
    const { key } = request.params;
    const binding = http.cookies.get(request, 'sp-consent', 'path');
    if (binding === undefined || sha256(binding) !== key) return undefined;
    const now = clock.now();
    const row = await findArtifact(db, key);
    if (row?.model !== 'Interaction' || row.user_id === null || row.app_id === null) return undefined;
    if (row.consumed_at !== null || (row.expires_at !== null && row.expires_at <= now)) return undefined;
    const cookie = http.cookies.get(request, 'sp-session', 'host');
    const session = cookie === undefined ? undefined : await sessions.findByCookie(db, cookie, now);
    if (!session || session.id !== row.session_id) return undefined;
    const payload = row.payload as AdapterPayload;
    const asked = String(payload.params?.scope ?? '').split(' ');
    return { row, userId: row.user_id, appId: row.app_id, payload, binding, asked };
  }

  async function expired(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const data: ExpiredView = { startUrl: null };
    return http.page(request, reply, {
      view: 'login/expired',
      title: text('expired.title'),
      status: 410,
      data,
    });
  }

  return {
    async ask(request: Consented, reply: FastifyReply): Promise<FastifyReply> {
      const question = await questionOf(request);
      if (!question) return expired(request, reply);
      const app = await apps.find(db, question.appId);
      const user = await users.findById(db, question.userId);
      if (!app || !user) return expired(request, reply);
      const data: ConsentView = {
        actionUrl: consentPath(request.params.key),
        formToken: http.forms.token(question.binding),
        user: user.name ?? user.username,
        scopes: question.asked.filter(Boolean).map(describe),
      };
      const { ui_locales: preferred } = question.payload.params ?? {};
      const locale = http.locale(request, typeof preferred === 'string' ? preferred : null);
      return http.page(request, reply, {
        view: 'oidc/consent',
        title: text('consent.title'),
        app,
        locale,
        data,
      });
    },

    async answer(request: Consented, reply: FastifyReply): Promise<FastifyReply> {
      const question = await questionOf(request);
      if (!question) return expired(request, reply);
      http.forms.check(request, question.binding);
      const { action } = request.body as { action: 'allow' | 'deny' };
      const { row, userId, appId, payload } = question;
      const known = new Set<string>(scopes);
      const before = await consentedScopes(db, userId, appId);
      const allowed = [...new Set([...before, ...question.asked.filter((scope) => known.has(scope))])];
      const result: InteractionResults =
        action === 'allow'
          ? { ...payload.lastSubmission, consent: {} }
          : { error: 'access_denied', error_description: 'the user did not agree' };
      const now = clock.now();
      const first = await storage.transaction(async (tx) => {
        if (!(await answerArtifact(tx, row.id_hash, { ...payload, result }, now))) return false;
        const consent = { idHash: consentKeyOf(userId, appId), userId, appId, scopes: allowed };
        if (action === 'allow') await saveConsent(tx, consent, now);
        return true;
      });
      if (!first) return expired(request, reply);
      return reply.redirect(resumePath(request.params.key), 303);
    },
  };
}

function describe(scope: string): Text {
  const known = new Set<string>(scopes);
  return known.has(scope) ? text(`consent.scope.${scope}`) : text('consent.scope.other', { scope });
}
