import { once } from 'node:events';
import t from 'tap';
import { createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import {
  alice,
  freePort,
  postgresUrl,
  shop,
  standard,
  type TestGateway,
  testEnvironment,
} from '../helpers/gateway.ts';
import { type Instance, startProcess } from '../helpers/process.ts';
import { createTestApp, nextCode, openLogin, passPassword, signIn } from '../helpers/relying-party.ts';

t.test('two processes on one PostgreSQL', async (t) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const databaseUrl = await postgresUrl(t);
  const files = standard(sms.url);
  const first = await testEnvironment(t, { databaseUrl }, files);
  const issuer = `http://localhost:${first.PORT}`;
  const second = { ...first, PORT: String(await freePort()), ISSUER: issuer };
  const instances = [await startProcess(t, first), await startProcess(t, second)] as const;

  const gateway = { issuer, sms } as TestGateway;
  const to = (url: URL, instance: Instance): URL => {
    if (url.origin !== issuer) return url;
    const routed = new URL(url);
    routed.port = String(instance.port);
    return routed;
  };

  await t.test('the requests of one login alternate between them', async (t) => {
    const app = await createTestApp(gateway, shop);
    const counts = [0, 0];
    let turn = 0;
    const browser = createBrowser((url) => {
      turn = 1 - turn;
      counts[turn] = (counts[turn] ?? 0) + 1;
      return to(url, instances[turn] ?? instances[0]);
    });
    const { tokens } = await signIn(gateway, app, alice, {}, browser);
    t.same(tokens.claims()?.amr, ['pwd', 'sms', 'mfa']);
    t.ok(
      counts.every((count) => count >= 3),
      `both instances answered: ${counts}`,
    );
  });

  await t.test('kill -9 of one in the middle: the login goes on at the other', async (t) => {
    const app = await createTestApp(gateway, shop);
    let current: Instance = instances[1];
    const browser = createBrowser((url) => to(url, current));
    const walk = await passPassword(app, await openLogin(app, browser), alice);
    const code = await nextCode(sms, alice.phone);
    instances[1].process.kill('SIGKILL');
    await once(instances[1].process, 'exit');
    current = instances[0];
    const done = await browser.submit(walk.page, { code }, app.isCallback);
    t.ok(app.isCallback(done.url), `back at the application: ${done.url.href}`);
    t.ok((await app.exchange(walk.attempt, done.url)).access_token);
  });
});
