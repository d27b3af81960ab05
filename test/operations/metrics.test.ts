import { createHash } from 'node:crypto';
import t from 'tap';
import { createMetrics, metricsSection } from '../../src/telemetry/index.ts';
import { alice, generousGuard, postgresUrl, shop, startGateway } from '../helpers/gateway.ts';
import { createTestApp, openLogin, passPassword, signIn } from '../helpers/relying-party.ts';

const token = 'a-long-random-token-of-the-monitoring';
const tokenSha256 = createHash('sha256').update(token).digest('hex');

t.test('GET /metrics tells of logins, deliveries, hashes and the pool, and of nobody', async (t) => {
  const metrics = { enabled: true, tokenSha256, allowFrom: ['127.0.0.0/8', '::1'] };
  const gateway = await startGateway(t, {
    databaseUrl: await postgresUrl(t),
    files: { gateway: { name: 'Sallyport', guard: generousGuard, metrics } },
  });
  const app = await createTestApp(gateway, shop);
  await signIn(gateway, app, alice);
  await passPassword(app, await openLogin(app), { username: alice.username, password: 'wrong' });

  const url = `${gateway.issuer}/metrics`;
  t.equal((await fetch(url)).status, 401, 'not without the token');
  t.equal((await fetch(url, { headers: { authorization: 'Bearer other' } })).status, 401);
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  t.equal(answer.status, 200);
  t.match(answer.headers.get('content-type'), 'text/plain');
  const text = await answer.text();
  for (const line of [
    'sallyport_logins_started_total 2',
    'sallyport_logins_finished_total{result="ok"} 1',
    'sallyport_login_steps_total{step="first",method="password",result="passed"} 1',
    'sallyport_login_steps_total{step="first",method="password",result="failed"} 1',
    'sallyport_login_steps_total{step="second",method="sms-otp",result="passed"} 1',
    'sallyport_deliveries_total{provider="main",channel="sms",outcome="accepted"} 1',
    'sallyport_password_hashes_waiting 0',
    'sallyport_provider_open{provider="main"} 0',
    'sallyport_database_connections_limit 20',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  for (const secret of [alice.username, alice.phone, alice.phone.slice(1), 'lgn_', 'usr_', 'msg_']) {
    t.notOk(text.includes(secret), `no ${secret}`);
  }
});

t.test('metrics are off by default, and only for the addresses that are named', async (t) => {
  const off = await startGateway(t, { databaseUrl: await postgresUrl(t) });
  t.equal((await fetch(`${off.issuer}/metrics`)).status, 404);
  const metrics = { enabled: true, allowFrom: ['10.0.0.0/8'] };
  const strict = await startGateway(t, {
    databaseUrl: await postgresUrl(t),
    files: { gateway: { metrics } },
  });
  t.equal((await fetch(`${strict.issuer}/metrics`)).status, 403);
});

t.test('the setting', async (t) => {
  const faults = (value: object) => metricsSection.check({ enabled: true, allowFrom: [], ...value });
  t.match(faults({}), [{ path: 'enabled' }], 'open to everyone is a fault');
  t.strictSame(faults({ enabled: false }), []);
  t.strictSame(faults({ tokenSha256 }), []);
  t.strictSame(faults({ allowFrom: ['10.0.0.0/8', '::1', '192.0.2.1'] }), []);
  t.match(faults({ allowFrom: ['::1', 'monitoring.local'] }), [{ path: 'allowFrom[1]' }]);
});

t.test("the process's own figures are added once it is a gateway and nothing else", async (t) => {
  const metrics = createMetrics({ hashing: () => ({ running: 2, waiting: 7 }), pool: () => null });
  const text = async () => (await metrics.text()).text;
  t.notMatch(await text(), 'nodejs_eventloop_lag_seconds');
  t.match(await text(), 'sallyport_password_hashes_waiting 7');
  t.notMatch(await text(), 'sallyport_database', 'the embedded database has no pool');
  await metrics.observeProcess();
  t.match(await text(), 'nodejs_eventloop_lag_seconds');
});
