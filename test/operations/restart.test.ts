import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { startSmsGateway } from '../../src/demo/index.ts';
import {
  freePort,
  generousGuard,
  postgresUrl,
  shop,
  standard,
  type TestGateway,
  testEnvironment,
} from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { createTestApp } from '../helpers/relying-party.ts';
import { emptyJournal, keepBusy, logIn, people } from './people.ts';
import { startProxy } from './proxy.ts';

t.test('instances restart one after the other under load: no request fails', async (t) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const persons = people(6);
  const files = { ...standard(sms.url), users: persons };
  files.gateway = { guard: generousGuard, otp: { resendAfter: '1s' } };
  const databaseUrl = await postgresUrl(t);
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const first = await testEnvironment(t, { databaseUrl, env: { ISSUER: issuer, LOG_LEVEL: 'warn' } }, files);
  const environments = [first, { ...first, PORT: String(await freePort()) }] as const;
  const instances = [await startProcess(t, environments[0]), await startProcess(t, environments[1])];
  const proxy = await startProxy(
    t,
    port,
    instances.map((instance) => instance.port),
  );

  const app = await createTestApp({ issuer } as TestGateway, shop);
  const journal = emptyJournal();
  let done = false;
  const busy = keepBusy(
    persons,
    journal,
    () => done,
    (person) => logIn(app, sms, person, journal),
  );
  for (const turn of [0, 1, 0] as const) {
    await delay(1_000);
    const before = journal.logins;
    const instance = instances[turn];
    if (instance === undefined) continue;
    instance.process.kill('SIGTERM');
    const [code] = await once(instance.process, 'exit');
    t.equal(code, 0, `instance ${turn} ended by itself`);
    await delay(500);
    instances[turn] = await startProcess(t, environments[turn]);
    t.ok(journal.logins > before, `people went on logging in: ${journal.logins - before}`);
  }
  await delay(1_000);
  done = true;
  await busy;

  t.same(proxy.faults, [], 'no connection was cut');
  t.same(journal.faults, [], 'nobody met an error');
  t.equal(journal.askedBack, 0, 'nobody was asked to come back');
  t.ok(proxy.retried() > 0, `connections were refused, and retried: ${proxy.retried()}`);
});
