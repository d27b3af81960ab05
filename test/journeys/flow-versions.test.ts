import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { readEnvironment } from '../../src/config/index.ts';
import { createPasswords } from '../../src/crypto/index.ts';
import { createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import { type Running, serve } from '../../src/server.ts';
import {
  freePort,
  generousGuard,
  postgresUrl,
  shop,
  standard,
  type TestGateway,
  testEnvironment,
} from '../helpers/gateway.ts';
import { createTestApp, nextCode, openLogin, passPassword, type Walk } from '../helpers/relying-party.ts';

const count = 200;
const password = 'two hundred paper kites';
const credentials = (n: number) => ({ username: `person${n}`, password });
const phone = (n: number): string => `+447700900${String(n + 200)}`;
const by = 'cli:test';

/** As many at a time as browsers would be at a busy moment. */
async function eachPerson(numbers: number[], work: (n: number) => Promise<void>): Promise<void> {
  const waiting = [...numbers];
  const worker = async () => {
    for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) await work(n);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

t.test('a flow is published while 200 sign-ins are under way, and rolled back', async (t) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const passwordHash = await createPasswords().hash(password);
  const files = standard(sms.url);
  files.users = Array.from({ length: count }, (_, n) => ({
    ...{ username: `person${n}`, passwordHash, phone: phone(n) },
  }));
  files.gateway = { guard: generousGuard };
  const first = await testEnvironment(t, { databaseUrl: await postgresUrl(t) }, files);
  const issuer = `http://localhost:${first.PORT}`;
  const instances: Running[] = [];
  for (let n = 0; n < 3; n += 1) {
    const env = n === 0 ? first : { ...first, PORT: String(await freePort()), ISSUER: issuer };
    const running = await serve(readEnvironment({ ...env, LOG_LEVEL: 'silent' }));
    t.teardown(() => running.close());
    instances.push(running);
  }
  const [one] = instances as [Running];
  const { db } = one.context.storage;
  const portOf = (n: number) => String(instances[n % instances.length]?.context.environment.port);
  const app = await createTestApp({ issuer, sms } as TestGateway, shop);

  /** A browser whose requests go to one instance after the other. */
  const wandering = (start: number) => {
    let turn = start;
    return createBrowser((url) => {
      if (url.origin !== issuer) return url;
      const routed = new URL(url);
      routed.port = portOf(turn);
      turn += 1;
      return routed;
    });
  };
  const everybody = Array.from({ length: count }, (_, n) => n);
  const walks: Walk[] = [];
  await eachPerson(everybody, async (n) => {
    const opened = await openLogin(app, wandering(n));
    walks[n] = n % 2 === 0 ? await passPassword(app, opened, credentials(n)) : opened;
  });

  const { flows } = one.context;
  const steps = [{ id: 'first', options: ['password'] }];
  await flows.draft([{ id: 'password-sms', name: 'Password', steps }], { by, note: null });
  await flows.publish({ flow: 'password-sms', version: 2, replaces: 1, share: null, by });

  await eachPerson(everybody, async (n) => {
    const walk = walks[n] as Walk;
    const { page } = n % 2 === 0 ? walk : await passPassword(app, walk, credentials(n));
    const code = await nextCode(sms, phone(n), 20_000);
    const done = await walk.browser.submit(page, { code }, app.isCallback);
    if (!app.isCallback(done.url)) t.fail(`${n} ended at ${done.url.pathname} ${done.status}`);
  });
  const ended = await db
    .selectFrom('logins')
    .innerJoin('flow_versions', 'flow_versions.id', 'logins.flow_version_id')
    .select(['flow_versions.version', 'logins.status', 'logins.result'])
    .execute();
  t.equal(ended.length, count);
  t.same(
    ended.filter(({ result, status, version }) => {
      return version !== 1 || status !== 'consumed' || result?.amr.join(' ') !== 'pwd sms mfa';
    }),
    [],
    'each has finished on the version on which it began',
  );

  /** The version that a sign-in takes which begins at this instance now. */
  const taken = async (n: number): Promise<number> => {
    const { page } = await openLogin(
      app,
      createBrowser((url) => new URL(url.href.replace(`:${first.PORT}/`, `:${portOf(n)}/`))),
    );
    const row = await db
      .selectFrom('logins')
      .innerJoin('flow_versions', 'flow_versions.id', 'logins.flow_version_id')
      .select('flow_versions.version')
      .where('logins.id', '=', page.url.pathname.replace('/login/', ''))
      .executeTakeFirstOrThrow();
    return row.version;
  };
  const seen = async () => Promise.all(instances.map((_, n) => taken(n)));
  const takenSoon = async (name: string, version: number, change: () => Promise<unknown>) => {
    await change();
    const changed = performance.now();
    while ((await seen()).some((one) => one !== version)) await delay(50);
    const tookMs = Math.round(performance.now() - changed);
    t.ok(tookMs < 2_000, `${name}: all three instances take version ${version} after ${tookMs} ms`);
  };
  const about = { flow: 'password-sms', by };
  t.same(await seen(), [2, 2, 2], 'new ones take the new version');
  await takenSoon('rollback', 1, () => flows.rollBack({ ...about, from: 2, to: null }));
  await flows.draft([{ id: 'password-sms', name: 'Tried', steps }], { by, note: null });
  const tried = { ...about, version: 3, replaces: 1 };
  // One browser in ten thousand is not among them.
  await takenSoon('trial', 3, () => flows.publish({ ...tried, share: 99.99 }));
  await takenSoon('end of the trial', 1, () => flows.archive({ ...about, version: 3 }));
});
