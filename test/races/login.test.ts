import { sql } from 'kysely';
import * as client from 'openid-client';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { alice, postgresUrl, shop, startGateway, type TestGateway } from '../helpers/gateway.ts';
import { rawPost } from '../helpers/raw-form.ts';
import {
  createTestApp,
  nextCode,
  oauthError,
  openLogin,
  passPassword,
  signIn,
  type TestApp,
  type Walk,
} from '../helpers/relying-party.ts';

const many = 50;
const statusesOf = (answers: { status: number }[]): number[] => answers.map(({ status }) => status);

/** How many of the simultaneous answers lead back to the application. */
const arrivals = (_app: TestApp, answers: { location: URL | null; status: number }[]): number =>
  answers.filter(({ location }) => location !== null && !location.pathname.startsWith('/login/')).length;

async function atTheCode(gateway: TestGateway, app: TestApp): Promise<Walk & { code: string }> {
  const walk = await passPassword(app, await openLogin(app), alice);
  return { ...walk, code: await nextCode(gateway.sms, alice.phone) };
}

t.test('simultaneous uses on PostgreSQL', async (t) => {
  const gateway = await startGateway(t, { databaseUrl: await postgresUrl(t) });
  const app = await createTestApp(gateway, shop);

  await t.test(`${many} times one code in one login: one way on`, async (t) => {
    const { browser, page, code, attempt } = await atTheCode(gateway, app);
    const answers = await Promise.all(Array.from({ length: many }, () => rawPost(browser, page, { code })));
    t.ok(arrivals(app, answers) >= 1, `somebody got through: ${statusesOf(answers)}`);
    t.notOk(
      statusesOf(answers).some((status) => status >= 500),
      'nobody met an error',
    );
    const consumed = await gateway.running.context.storage.db
      .selectFrom('otp_codes')
      .select(sql<number>`count(*)`.as('n'))
      .where('consumed_at', 'is not', null)
      .executeTakeFirstOrThrow();
    t.equal(Number(consumed.n), 1, 'the code was consumed once');
    const sessions = await gateway.running.context.storage.db.selectFrom('sessions').select('id').execute();
    t.equal(sessions.length, 1, 'one session came of it');
    t.equal(await events(gateway, 'code.verified'), 1, 'the audit log says so once');
    const target = answers.find(
      ({ location }) => location !== null && !location.pathname.startsWith('/login/'),
    );
    const back = await browser.open(target?.location ?? '', app.isCallback);
    t.ok((await app.exchange(attempt, back.url)).access_token);
  });

  await t.test(`${many} logins with one backup code: one passes`, async (t) => {
    const walks = await Promise.all(
      Array.from({ length: many }, async () => {
        const walk = await passPassword(app, await openLogin(app, createBrowser()), alice);
        const page = await walk.browser.submit(walk.page, { action: 'choose:backup-code' });
        t.match(page.html, /backup code/i, 'at the backup code');
        return { ...walk, page };
      }),
    );
    const code = alice.backupCodes[0] ?? '';
    const answers = await Promise.all(walks.map(({ browser, page }) => rawPost(browser, page, { code })));
    t.equal(arrivals(app, answers), 1, `exactly one: ${statusesOf(answers)}`);
    for (const _ of walks) await nextCode(gateway.sms, alice.phone);
  });

  await t.test(
    `${many} exchanges of one authorization code: one 200, and the family is revoked`,
    async (t) => {
      const { browser, page, code, attempt } = await atTheCode(gateway, app);
      const done = await browser.submit(page, { code }, app.isCallback);
      const answers = await Promise.allSettled(
        Array.from({ length: many }, () => app.exchange(attempt, done.url)),
      );
      const winners = answers.filter((answer) => answer.status === 'fulfilled');
      t.equal(winners.length, 1, 'exactly one');
      const token = winners[0]?.value.access_token ?? '';
      await t.rejects(
        client.fetchUserInfo(app.configuration, token, client.skipSubjectCheck),
        'what the one got is void: the code was replayed',
      );
    },
  );

  await t.test(`${many} uses of one refresh token: one 200, and the family is revoked`, async (t) => {
    const { tokens } = await signIn(gateway, app, alice, {
      scope: 'openid offline_access',
      prompt: 'consent',
    });
    const refresh = tokens.refresh_token ?? '';
    const answers = await Promise.allSettled(
      Array.from({ length: many }, () => client.refreshTokenGrant(app.configuration, refresh)),
    );
    const winners = answers.filter((answer) => answer.status === 'fulfilled');
    t.equal(winners.length, 1, 'exactly one');
    t.equal(
      await oauthError(client.refreshTokenGrant(app.configuration, winners[0]?.value.refresh_token ?? '')),
      'invalid_grant',
    );
  });

  await t.test('200 wrong codes at once: at most 5 are compared', async (t) => {
    const { browser, page, code } = await atTheCode(gateway, app);
    const before = await events(gateway, 'code.refused');
    const wrong = Array.from({ length: 200 }, (_, i) =>
      String((Number(code) + 1 + i) % 1_000_000).padStart(6, '0'),
    );
    await Promise.all(wrong.map((typed) => rawPost(browser, page, { code: typed })));
    const compared = (await events(gateway, 'code.refused')) - before;
    t.ok(compared >= 1 && compared <= 5, `${compared} were compared`);
    const tries = await gateway.running.context.storage.db
      .selectFrom('otp_challenges')
      .select(sql<number>`max(tries)`.as('most'))
      .executeTakeFirstOrThrow();
    t.ok(Number(tries.most) <= 5, 'no more than five tries were handed out');
    const late = await browser.submit(page, { code }, app.isCallback);
    t.notOk(app.isCallback(late.url), 'the right code comes too late');
  });
});

async function events(gateway: TestGateway, name: string): Promise<number> {
  const row = await gateway.running.context.storage.db
    .selectFrom('audit_events')
    .select(sql<number>`count(*)`.as('n'))
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}
