import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { alice, eachDatabaseUrl, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';
import { createTestApp, nextCode, openLogin, passPassword } from '../helpers/relying-party.ts';

const password = { username: alice.username, password: alice.password };

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const { flows } = standard('');
  const [flow] = flows as { steps: object[] }[];
  const [first, second] = flow?.steps ?? [];
  const when = 'user.attributes.level >= 3 || request.country != "DE"';
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      gateway: {
        ...{ guard: generousGuard, trustedProxies: ['127.0.0.0/8', '::1/128'] },
        country: { header: 'CF-IPCountry' },
      },
      attributes: [{ name: 'level', type: 'number' }],
      users: [{ ...alice, attributes: { level: 5 } }],
      flows: [{ ...flow, steps: [first, { ...second, when, remember: '30d' }] }],
    },
  });
  const app = await createTestApp(gateway, shop);

  await t.test('a browser is remembered, also where an app looks at the session', async (t) => {
    const browser = createBrowser();
    const walk = await passPassword(app, await openLogin(app, browser), password);
    t.match(walk.page.html, 'Remember this browser for 30 days');
    const code = await nextCode(gateway.sms, alice.phone);
    const back = await browser.submit(walk.page, { code, remember: 'on' }, app.isCallback);
    t.strictSame((await app.exchange(walk.attempt, back.url)).claims()?.amr, ['pwd', 'sms', 'mfa']);
    const before = browser.cookie('sp-remembered');

    const again = await passPassword(app, await openLogin(app, browser, { prompt: 'login' }), password);
    t.ok(app.isCallback(again.page.url), 'only the password');
    t.not(browser.cookie('sp-remembered'), before);

    const anew = createBrowser();
    const stranger = await passPassword(app, await openLogin(app, anew), password);
    t.match(stranger.page.html, 'Enter code', 'another browser');

    const silent = await openLogin(app, browser, { prompt: 'none' });
    t.ok(silent.page.url.searchParams.has('code'), 'the session is enough here');
    const strong = await openLogin(app, browser, {
      prompt: 'none',
      max_age: '1000',
      acr_values: 'urn:sallyport:acr:2',
    });
    t.equal(strong.page.url.searchParams.has('code'), true, 'its factors are young and two');
  });
});
