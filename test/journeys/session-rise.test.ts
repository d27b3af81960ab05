import { sql } from 'kysely';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { alice, eachDatabaseUrl, shop, standard, startGateway } from '../helpers/gateway.ts';
import { createTestApp, nextCode, openLogin, passPassword, type TestApp } from '../helpers/relying-party.ts';

const forum = { id: 'forum', redirectUri: 'http://localhost:4502/callback' };

/** What a silent request answers for whoever holds this value of the session's cookie. */
async function silently(app: TestApp, cookie: string): Promise<string> {
  const { url } = await app.begin({ prompt: 'none' });
  const answer = await fetch(url, { redirect: 'manual', headers: { cookie: `sp-session=${cookie}` } });
  const { searchParams } = new URL(answer.headers.get('location') ?? '');
  return searchParams.get('error') ?? (searchParams.has('code') ? 'code' : 'nothing');
}

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const { apps, flows } = standard('');
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      apps: [
        ...apps,
        {
          id: forum.id,
          name: 'Forum',
          redirectUris: [forum.redirectUri],
          firstParty: true,
          flow: 'password',
        },
      ],
      flows: [...flows, { id: 'password', name: 'Password', steps: [{ id: 'only', options: ['password'] }] }],
    },
  });
  const [strong, weak] = [await createTestApp(gateway, shop), await createTestApp(gateway, forum)];

  await t.test('who holds the cookie of before does not rise with the session', async (t) => {
    const browser = createBrowser();
    await passPassword(weak, await openLogin(weak, browser), alice);
    const before = browser.cookie('sp-session') ?? '';
    t.equal(await silently(weak, before), 'code');
    t.equal(await silently(strong, before), 'login_required');

    const step = await openLogin(strong, browser);
    const page = await browser.submit(step.page, { action: 'send' });
    const code = await nextCode(gateway.sms, alice.phone);
    const back = await browser.submit(page, { code }, ({ pathname }) => pathname.startsWith('/authorize/'));
    t.match(back.url.pathname, /^\/authorize\//, 'finished, but not back at the application yet');
    t.equal(await silently(strong, before), 'login_required', 'dead as soon as the session is worth more');
    t.equal(
      (await fetch(back.url, { redirect: 'manual' })).status,
      410,
      'no other browser fetches the result',
    );

    const done = await browser.open(back.url, strong.isCallback);
    t.same((await strong.exchange(step.attempt, done.url)).claims()?.amr, ['pwd', 'sms', 'mfa']);
    const after = browser.cookie('sp-session') ?? '';
    t.not(after, before);
    t.equal(await silently(strong, after), 'code');
    t.equal(await silently(weak, before), 'login_required');
    t.equal((await browser.open(back.url, strong.isCallback)).status, 410, 'nor does this one again');
  });

  await t.test('what is too old for an app is not told as if it had just been shown', async (t) => {
    const browser = createBrowser();
    const step = await passPassword(strong, await openLogin(strong, browser), alice);
    const code = await nextCode(gateway.sms, alice.phone);
    await browser.submit(step.page, { code }, strong.isCallback);
    const { storage } = gateway.running.context;
    await sql`update sessions set factors = (select jsonb_agg(jsonb_set(f, '{at}',
      to_jsonb((f ->> 'at')::bigint - 3600000))) from jsonb_array_elements(factors) f)`.execute(storage.db);
    const again = await openLogin(weak, browser, { prompt: 'login' });
    await passPassword(weak, again, alice);

    const told = async (extra: Record<string, string>) => {
      const walk = await openLogin(weak, browser, extra);
      if (!weak.isCallback(walk.page.url)) return walk.page.url.pathname.replace(/lgn_.*/, '');
      const refused = walk.page.url.searchParams.get('error');
      if (refused) return refused;
      const token = (await weak.exchange(walk.attempt, walk.page.url)).claims();
      return { acr: token?.acr, amr: token?.amr };
    };
    const both = { acr: 'urn:sallyport:acr:2', amr: ['sms', 'pwd', 'mfa'] };
    t.same(await told({}), both, 'the session has both');
    t.same(await told({ max_age: '7200' }), both);
    t.same(await told({ max_age: '600' }), { acr: 'urn:sallyport:acr:1', amr: ['pwd'] });
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: both.acr } } });
    t.same(await told({ claims }), both);
    t.equal(await told({ claims, max_age: '600', prompt: 'none' }), 'login_required');
  });
});
