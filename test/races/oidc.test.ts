import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { postgresOnly } from '../helpers/database.ts';
import { alice, callback, type Harness, openOidc } from '../oidc/harness.ts';

const many = 50;
const offline = { scope: 'openid offline_access' };

/** Asks so many times at once; answers what the one that succeeded got. */
async function race(t: Tap, gateway: Harness, form: Record<string, string>): Promise<Record<string, string>> {
  const answers = await Promise.all(Array.from({ length: many }, () => gateway.post('/token', form)));
  const won = answers.filter(({ status }) => status === 200);
  t.equal(won.length, 1, 'exactly one');
  const lost = answers.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant');
  t.equal(lost.length, many - 1, 'the others are told so');
  return won[0]?.body ?? {};
}

type Tap = typeof t;

async function liveTokens(gateway: Harness): Promise<number> {
  const rows = await gateway.storage.db
    .selectFrom('oidc_artifacts')
    .select('id_hash')
    .where('consumed_at', 'is', null)
    .execute();
  return rows.length;
}

t.test('one code, fifty exchanges at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const configuration = await gateway.configure();
    for (let round = 0; round < 3; round += 1) {
      const attempt = await gateway.begin(configuration, offline);
      const { url } = await gateway.authorize(createBrowser(), attempt);
      const won = await race(t as Tap, gateway, {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: callback,
        code_verifier: attempt.verifier,
      });
      t.ok(won.refresh_token);
      t.equal(await liveTokens(gateway), 0, 'and the reuse has ended the family');
    }
    t.strictSame(
      gateway.log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});

t.test('one refresh token, fifty uses at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    for (let round = 0; round < 3; round += 1) {
      const { tokens } = await gateway.signIn(offline);
      const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
      const won = await race(t as Tap, gateway, form);
      t.equal(await liveTokens(gateway), 0, 'and the reuse has ended the family');
      const next = { grant_type: 'refresh_token', refresh_token: won.refresh_token ?? '' };
      t.equal((await gateway.post('/token', next)).status, 400);
    }
  });
});

t.test('a rotation under way does not escape when the family ends', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    for (let round = 0; round < 10; round += 1) {
      const { tokens } = await gateway.signIn(offline);
      const old = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
      const { body } = await gateway.post('/token', old);
      const young = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
      await Promise.all([gateway.post('/token', young), gateway.post('/token', old)]);
      t.equal(await liveTokens(gateway), 0);
    }
  });
});

t.test('one way back from a login, sixteen at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    const attempt = await gateway.begin(await gateway.configure());
    const login = await browser.open(attempt.url);
    const back = await gateway.fake.finish(login.url.pathname.split('/').at(-1) ?? '', alice.id, ['pwd']);
    const cookie = `sp-resume=${browser.cookie('sp-resume')}`;
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        gateway.app.inject({ url: new URL(back).pathname, headers: { cookie, accept: 'text/html' } }),
      ),
    );
    const codes = answers.filter(({ headers }) => headers.location?.includes('code='));
    t.equal(codes.length, 1);
    t.equal(answers.filter(({ statusCode }) => statusCode === 410).length, 15);
    t.notOk(answers.some((answer) => answer.statusCode === 410 && answer.headers.location));
    t.equal(await liveTokens(gateway), 1);
  });
});
