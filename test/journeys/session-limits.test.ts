import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { readEnvironment } from '../../src/config/index.ts';
import { type Browser, createBrowser } from '../../src/demo/index.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { serve } from '../../src/server.ts';
import { createSessions } from '../../src/sessions/index.ts';
import {
  alice,
  freePort,
  postgresUrl,
  shop,
  standard,
  startGateway,
  type TestGateway,
  writeConfig,
} from '../helpers/gateway.ts';
import { createTestApp, type TestApp } from '../helpers/relying-party.ts';

const flows = [{ id: 'password', name: 'Password', steps: [{ id: 'first', options: ['password'] }] }];
const entry = (id: string, more: object = {}) => ({
  ...{ id, name: id, secret: shop.secret, redirectUris: [shop.redirectUri], firstParty: true },
  flow: 'password',
  ...more,
});

async function start(t: Test, apps: object[]): Promise<TestGateway> {
  return startGateway(t, { databaseUrl: await postgresUrl(t), files: { flows, apps } });
}

/** Signs in with the password where asked to; answers the tokens and whether it was asked for. */
async function signIn(app: TestApp, browser: Browser) {
  const attempt = await app.begin();
  const page = await browser.open(attempt.url, app.isCallback);
  const asked = !app.isCallback(page.url);
  const { username, password } = alice;
  const done = asked ? await browser.submit(page, { username, password }, app.isCallback) : page;
  return { asked, tokens: await app.exchange(attempt, done.url) };
}

/** `code`, or the error of a request that may show no page. */
async function silently(app: TestApp, browser: Browser): Promise<string> {
  const attempt = await app.begin({ prompt: 'none' });
  const { url } = await browser.open(attempt.url, app.isCallback);
  return url.searchParams.get('error') ?? 'code';
}

const userinfo = async (origin: string, token: string): Promise<number> =>
  (await fetch(`${origin}/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status;

t.test(
  'a session that is revoked at one instance is gone at the other with the next request',
  { timeout: 120_000 },
  async (t) => {
    const gateway = await start(t, [entry('shop')]);
    const port = String(await freePort());
    const second = await serve(readEnvironment({ ...gateway.env, PORT: port, ISSUER: gateway.issuer }), {
      logDestination: { write: () => undefined },
    });
    t.teardown(() => second.close());
    const other = `http://localhost:${port}`;
    const app = await createTestApp(gateway, { ...shop, id: 'shop' });
    let elsewhere = false;
    const browser = createBrowser((url) =>
      elsewhere && url.origin === gateway.issuer ? new URL(`${url.pathname}${url.search}`, other) : url,
    );
    const { tokens } = await signIn(app, browser);
    for (const origin of [gateway.issuer, other]) t.equal(await userinfo(origin, tokens.access_token), 200);
    elsewhere = true;
    t.equal(await silently(app, browser), 'code');

    const { storage, settings, clock } = gateway.running.context;
    const sessions = createSessions({ settings, random: systemRandom, audit: createAudit() });
    const [session] = await sessions.list(storage.db, tokens.claims()?.sub ?? '', clock.now());
    await storage.transaction((tx) => sessions.revoke(tx, session?.id ?? '', 'user', clock.now()));
    t.equal(await userinfo(other, tokens.access_token), 401);
    t.equal(await silently(app, browser), 'login_required');
    t.equal(await userinfo(gateway.issuer, tokens.access_token), 401);
  },
);

t.test(
  'limits of one app: its users sign in again, others go on, and its tokens end',
  { timeout: 120_000 },
  async (t) => {
    const apps = [entry('shop'), entry('bank', { sessions: { idle: '10m', absolute: '1h' } })];
    const gateway = await start(t, apps);
    const { db } = gateway.running.context.storage;
    const [shopApp, bank] = [
      await createTestApp(gateway, { ...shop, id: 'shop' }),
      await createTestApp(gateway, { ...shop, id: 'bank' }),
    ];
    const browser = createBrowser();
    /** Lets time pass for the sessions. */
    const pass = (minutes: number) => {
      const back = (column: string) => sql`${sql.ref(column)} - make_interval(mins => ${minutes})`;
      return sql`update sessions set last_seen_at = ${back('last_seen_at')}, auth_time = ${back('auth_time')},
      idle_expires_at = ${back('idle_expires_at')}, factors = (
        select jsonb_agg(f || jsonb_build_object('at', (f ->> 'at')::bigint - ${minutes * 60_000}::bigint))
        from jsonb_array_elements(factors) f)`.execute(db);
    };

    await signIn(shopApp, browser);
    const first = await signIn(bank, browser);
    t.notOk(first.asked, 'one sign-in for both');
    await pass(9);
    t.equal(await silently(bank, browser), 'code');
    t.equal(await userinfo(gateway.issuer, first.tokens.access_token), 200);
    await pass(10);
    t.equal(await userinfo(gateway.issuer, first.tokens.access_token), 401, 'unused for ten minutes');
    t.equal(await silently(shopApp, browser), 'code');
    t.equal(await silently(bank, browser), 'login_required', 'although the shop was used since');
    const again = await signIn(bank, browser);
    t.ok(again.asked);
    t.equal(await silently(bank, browser), 'code');
    for (let used = 0; used < 59; used += 9) {
      await pass(9);
      await silently(shopApp, browser);
    }
    t.equal(await silently(bank, browser), 'login_required', 'an hour after the sign-in');
    t.equal(await userinfo(gateway.issuer, again.tokens.access_token), 401);
    t.equal(await silently(shopApp, browser), 'code');
  },
);

const introspect = (gateway: TestGateway, secret: string): Promise<Response> =>
  fetch(`${gateway.issuer}/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`shop:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ token: 'of-nobody' }),
  });

t.test('a client secret is replaced without a request that fails', { timeout: 120_000 }, async (t) => {
  const gateway = await start(t, [entry('shop')]);
  const { configuration } = gateway.running.context;
  const next = 'the-next-secret-of-the-shop-0123456789';
  let secret = shop.secret;
  let stop = false;
  const statuses = new Set<number>();
  const asking = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!stop) {
        const response = await introspect(gateway, secret);
        await response.text();
        statuses.add(response.status);
      }
    }),
  );
  const status = async (sent: string) => (await introspect(gateway, sent)).status;
  const save = async (app: object) => {
    const folder = writeConfig(t, { ...standard(gateway.sms.url), flows, apps: [app] });
    await configuration.apply(configuration.read(folder).documents, { prune: false });
  };
  await save(entry('shop', { secret: next, previousSecret: shop.secret }));
  t.equal(await status(shop.secret), 200);
  secret = next;
  t.equal(await status(next), 200);
  // What was asked with the old one has been answered by then.
  await delay(300);
  await save(entry('shop', { secret: next }));
  t.equal(await status(shop.secret), 401, 'the old one is over');
  stop = true;
  await asking;
  t.strictSame([...statuses], [200]);
});
