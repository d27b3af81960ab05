import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import t from 'tap';
import { startSmsGateway } from '../../src/demo/index.ts';
import { sallyport } from '../cli/support.ts';
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
import { createTestApp, type TestApp } from '../helpers/relying-party.ts';
import { emptyJournal, keepBusy, logIn, people } from './people.ts';
import { startProxy } from './proxy.ts';

const scope = { scope: 'openid profile offline_access', prompt: 'consent' };
const refreshes = 3;

/** Whose signatures hold: an application that looks at the published keys whenever it meets one that it does not know. */
function verifier(app: TestApp) {
  const { issuer, jwks_uri: keys = '' } = app.configuration.serverMetadata();
  const keySet = createRemoteJWKSet(new URL(keys), { cooldownDuration: 0 });
  const kids = new Set<string>();
  return {
    kids,
    async verify(idToken = '') {
      const { protectedHeader } = await jwtVerify(idToken, keySet, { issuer, audience: shop.id });
      kids.add(protectedHeader.kid ?? '');
    },
  };
}

/** Two gateways on one database behind a proxy; SIGTERM to each in turn while people log in and keys rotate. */
t.test('instances restart one after the other while keys rotate: no request fails', async (t) => {
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
    instances.map(({ port }) => port),
  );

  const app = await createTestApp({ issuer } as TestGateway, shop);
  const { kids, verify } = verifier(app);
  const journal = emptyJournal();
  let refreshed = 0;
  let done = false;
  const busy = keepBusy(
    persons,
    journal,
    () => done,
    async (person) => {
      let tokens = await logIn(app, sms, person, journal, scope);
      await verify(tokens.id_token);
      for (let i = 0; i < refreshes; i += 1) {
        tokens = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '');
        await verify(tokens.id_token);
        refreshed += 1;
      }
    },
  );
  while (kids.size === 0 && journal.faults.length === 0) await delay(100);
  for (const turn of [0, 1, 0] as const) {
    await delay(1_000);
    const before = journal.logins;
    const instance = instances[turn];
    if (instance === undefined) throw new Error('no instance');
    const rotated = sallyport(first, ['keys', 'rotate', '--now']);
    await delay(200);
    instance.process.kill('SIGTERM');
    const [code] = await once(instance.process, 'exit');
    t.equal(code, 0, `instance ${turn} ended by itself`);
    instances[turn] = await startProcess(t, environments[turn]);
    t.equal((await rotated).code, 0, 'keys rotated');
    t.ok(journal.logins > before, `people went on logging in: ${journal.logins - before}`);
  }
  // Running instances take new keys up within 5 s.
  for (let tries = 0; tries < 10 && (tries === 0 || kids.size < 4); tries += 1) await delay(1_000);
  done = true;
  await busy;

  t.same(proxy.faults, [], 'no connection was cut');
  t.same(journal.faults, [], 'nobody met an error');
  t.equal(journal.askedBack, 0, 'nobody was asked to come back');
  t.ok(refreshed > persons.length, `tokens were refreshed: ${refreshed}`);
  t.ok(kids.size > 3, `new keys signed: ${kids.size}`);
  t.ok(proxy.retried() > 0, `connections were refused, and retried: ${proxy.retried()}`);
  t.ok(proxy.repeated() <= 2, `GETs whose connection was cut: ${proxy.repeated()}`);
});
