import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import { createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import { sallyport } from '../cli/support.ts';
import {
  alice,
  freePort,
  postgresUrl,
  shop,
  standard,
  type TestGateway,
  testEnvironment,
} from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { createTestApp } from '../helpers/relying-party.ts';

const kidOf = (jwt: string): string =>
  JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid;

async function published(port: number): Promise<string[]> {
  const jwks = (await (await fetch(`http://localhost:${port}/jwks`)).json()) as { keys: { kid: string }[] };
  return jwks.keys.map(({ kid }) => kid);
}

t.test(
  'keys rotate under load on two instances: no request fails, every token verifies',
  { timeout: 120_000 },
  async (t) => {
    const sms = await startSmsGateway();
    t.teardown(() => sms.close());
    const databaseUrl = await postgresUrl(t);
    const flows = [{ id: 'password-sms', name: 'Password', steps: [{ id: 'first', options: ['password'] }] }];
    const first = await testEnvironment(t, { databaseUrl }, { ...standard(sms.url), flows });
    const issuer = `http://localhost:${first.PORT}`;
    const second = { ...first, PORT: String(await freePort()), ISSUER: issuer };
    const ports = [(await startProcess(t, first)).port, (await startProcess(t, second)).port] as const;

    const gateway = { issuer, sms } as TestGateway;
    const app = await createTestApp(gateway, shop);
    // Keeps what it has fetched, as applications do, and looks again only for a key it does not know.
    const jwks = createRemoteJWKSet(new URL(`${issuer}/jwks`), {
      cooldownDuration: 600_000,
      cacheMaxAge: 600_000,
    });

    let stop = false;
    let count = 0;
    const kids = new Set<string>();
    /** Refreshes without a pause, at one instance and then at the other. */
    async function refreshing(token: string): Promise<void> {
      let refreshToken = token;
      for (let turn = 0; !stop; turn += 1) {
        const response = await fetch(`http://localhost:${ports[turn % 2]}/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from(`${shop.id}:${shop.secret}`).toString('base64')}` },
          body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
        });
        const body = (await response.json()) as { refresh_token: string; id_token: string };
        if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
        await jwtVerify(body.id_token, jwks, { issuer, audience: shop.id });
        kids.add(kidOf(body.id_token));
        refreshToken = body.refresh_token;
        count += 1;
      }
    }

    const scope = { scope: 'openid offline_access' };
    const tokens = [];
    for (let n = 0; n < 4; n += 1) tokens.push(await signInByPassword(app, scope));
    const before = kidOf(tokens[0]?.id_token ?? '');
    const load = Promise.all(tokens.map(({ refresh_token }) => refreshing(refresh_token ?? '')));

    await delay(300);
    const rotated = await sallyport({ ...first, LOG_LEVEL: 'silent' }, ['keys', 'rotate']);
    t.match(rotated, { code: 0, output: /^Rotated/ });
    const since = performance.now();
    const successor = /^ES256 {2}next +(\S+)/mu.exec(rotated.output)?.[1] ?? '';
    const taken = async () =>
      (await Promise.all(ports.map(published))).every((all) => all.includes(successor));
    while (!(await taken()) && performance.now() - since < 10_000) await delay(50);
    const took = performance.now() - since;
    t.ok(took < 5_000, `both instances have taken the keys up after ${Math.round(took)} ms`);
    await delay(500);
    stop = true;
    await t.resolves(load, 'no request failed and every token verified');
    t.ok(count > 50, `${count} refreshes`);
    t.equal(kids.size, 2, 'tokens by the key before and by its successor');
    t.ok(kids.has(before));
    for (const port of ports)
      t.ok((await published(port)).includes(before), 'the key before is still published');
  },
);

/** Tokens of a sign-in that asks for the password alone. */
async function signInByPassword(
  app: Awaited<ReturnType<typeof createTestApp>>,
  extra: Record<string, string>,
) {
  const browser = createBrowser();
  const attempt = await app.begin(extra);
  const page = await browser.open(attempt.url, app.isCallback);
  const done = await browser.submit(
    page,
    { username: alice.username, password: alice.password },
    app.isCallback,
  );
  return app.exchange(attempt, done.url);
}
