import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import { alice, postgresUrl, shop, standard, type TestGateway, testEnvironment } from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { createTestApp, signIn } from '../helpers/relying-party.ts';
import { childrenOf } from './support.ts';

t.test('WORKERS=3 is one gateway of three processes', async (t) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const files = standard(sms.url);
  const metrics = { enabled: true, allowFrom: ['127.0.0.0/8'] };
  const env = await testEnvironment(
    t,
    { databaseUrl: await postgresUrl(t), env: { WORKERS: '3' } },
    { ...files, gateway: { ...files.gateway, metrics } },
  );
  const { process: gateway, port } = await startProcess(t, env);
  const issuer = `http://localhost:${port}`;
  const app = await createTestApp({ issuer } as TestGateway, shop);
  const login = async () => {
    const { tokens } = await signIn({ issuer, sms } as TestGateway, app, alice, {}, createBrowser());
    return tokens.access_token;
  };
  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const workers = () => childrenOf(gateway.pid ?? 0);

  while (workers().length < 3) await delay(20);
  for (let i = 0; i < 6; i += 1) t.ok(await login(), `login ${i + 1}`);

  const text = await scrape();
  t.ok(text.includes('sallyport_logins_finished_total{result="ok"} 6'), 'metrics are those of all workers');
  t.ok(text.includes('sallyport_database_connections_limit 60'), 'gauges too');
  t.match(text, 'nodejs_eventloop_lag_seconds');

  const [victim = 0, ...others] = workers();
  process.kill(victim, 'SIGKILL');
  while (workers().includes(victim)) await delay(10);
  // A connection that was kept alive to the killed process is reset once; a client then asks again.
  t.ok(await login().catch(login), 'the others go on');
  while (workers().length < 3) await delay(20);
  t.same(
    others.filter((pid) => workers().includes(pid)),
    others,
    'one new one took its place',
  );
  t.ok(await login().catch(login), 'and the logins go on');

  const started = performance.now();
  const all = workers();
  // As Ctrl-C and service managers do it: everybody in the group hears of it.
  for (const pid of [gateway.pid ?? 0, ...all]) process.kill(pid, 'SIGTERM');
  const [code] = await once(gateway, 'exit');
  t.equal(code, 0);
  t.ok(performance.now() - started < 10_000, 'within 10 s');
  t.same(workers(), [], 'no worker is left');
});

t.test('a fault that every worker has ends the start instead of repeating it', async (t) => {
  const databaseUrl = await postgresUrl(t);
  const files = standard('http://127.0.0.1:9/');
  const broken = { ...files, apps: [{ id: 'x', flow: 'none' }] };
  const env = await testEnvironment(t, { databaseUrl, env: { WORKERS: '2' } }, broken);
  await t.rejects(startProcess(t, env), /ended with 1/);
});
