import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Flows, LoginRecord, StartLogin } from '../../src/flows/types.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { newId } from '../../src/lib/ids.ts';
import type { Factor, Sessions } from '../../src/sessions/types.ts';
import type { Storage } from '../../src/storage/types.ts';

const kinds: Record<string, Factor['kind']> = { pwd: 'knowledge', sms: 'possession' };
const levelOf = (factors: Factor[]): number => new Set(factors.map(({ kind }) => kind)).size;

/** Flows reduced to what the provider asks of them: a page on which a test says who logs in with what. */
export function createFakeFlows(storage: Storage, sessions: Sessions) {
  const logins = new Map<string, { request: StartLogin; record: LoginRecord }>();
  /** How many kinds of factors an app's flow asks for. */
  const needed = new Map<string, number>();

  const flows: Flows = {
    async start(_db, request) {
      const id = newId('lgn');
      const { app, continuation } = request;
      const expiresAt = new Date(systemClock.now().getTime() + 900_000);
      const record: LoginRecord = {
        id,
        appId: app.id,
        status: 'running',
        continuation,
        result: null,
        expiresAt,
        user: undefined,
      };
      logins.set(id, { request, record });
      return { loginId: id, path: `/login/${id}`, binding: randomBytes(32).toString('base64url') };
    },
    passwordAlone: async () => [],
    demands: async () => [],
    losses: async () => [],
    browser: ({ headers, ip }) => ({ ip, userAgent: headers['user-agent'] ?? null }),
    async findByContinuation(_db, key) {
      return [...logins.values()].find(({ request }) => request.continuationKey === key)?.record;
    },
    consuming(_db, loginId) {
      const ended = logins.get(loginId)?.record.status !== 'running';
      return sql`(insert into revisions (topic, n) select ${`consumed ${loginId}`}, 0 where ${ended}::boolean
        on conflict do nothing returning topic)`;
    },
    async satisfies(_db, { session, app, acr, maxAgeMs }, now) {
      const fresh = session.factors.filter(({ at }) => maxAgeMs === null || now.getTime() - at <= maxAgeMs);
      const wanted = acr.includes('urn:sallyport:acr:2') ? 2 : (needed.get(app.id) ?? 1);
      return levelOf(fresh) >= wanted;
    },
    describe(factors) {
      const amr = [...new Set(factors.flatMap((factor) => factor.amr))];
      return levelOf(factors) > 1
        ? { acr: 'urn:sallyport:acr:2', amr: [...amr, 'mfa'] }
        : { acr: 'urn:sallyport:acr:1', amr };
    },
  };

  function loginOf(id: string) {
    const login = logins.get(id);
    if (login?.record.continuation.kind !== 'oidc') throw new Error('no such login');
    return Object.assign(login, { resumeUrl: login.record.continuation.resumeUrl });
  }

  /** Ends a login as the engine would; `methods` are `pwd` and `sms`. */
  async function finish(loginId: string, userId: string, methods: string[]): Promise<string> {
    const login = loginOf(loginId);
    const now = systemClock.now();
    const factors = methods.map(
      (amr): Factor => ({ method: amr, kind: kinds[amr] ?? 'knowledge', amr: [amr], at: now.getTime() }),
    );
    const before = login.request.session && (await sessions.find(storage.db, login.request.session.id, now));
    const session = await storage.transaction((tx) =>
      before?.userId === userId
        ? sessions.strengthen(tx, before.id, factors, now)
        : sessions.create(tx, { userId, factors, ip: null, userAgent: null }, now),
    );
    if (!session) throw new Error('the session has ended');
    login.record = {
      ...login.record,
      status: 'finished',
      result: { userId, sessionId: session.id, ...flows.describe(session.factors), authTime: now.getTime() },
    };
    return login.resumeUrl;
  }

  function cancel(loginId: string): string {
    const login = loginOf(loginId);
    login.record = { ...login.record, status: 'cancelled' };
    return login.resumeUrl;
  }

  return { flows, logins, needed, finish, cancel };
}
