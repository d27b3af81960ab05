import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, bob, type Harness, openOidc, shop } from './harness.ts';

/** Signs Alice in at an app that is not the operator's own; answers the consent page. */
async function askConsent(gateway: Harness, extra: Record<string, string> = {}, browser = createBrowser()) {
  gateway.apps.set('shop', { ...shop, firstParty: false });
  const configuration = await gateway.configure();
  const attempt = await gateway.begin(configuration, { scope: 'openid profile phone', ...extra });
  const login = await browser.open(attempt.url, gateway.isCallback);
  const page = login.url.pathname.startsWith('/login/')
    ? await browser.submit(login, { user: alice.id, methods: 'pwd sms' }, gateway.isCallback)
    : login;
  return { configuration, attempt, browser, page };
}

const rowsOf = (gateway: Harness, model: string) =>
  gateway.storage.db.selectFrom('oidc_artifacts').selectAll().where('model', '=', model).execute();

t.test('allowing, remembered per person and app', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { configuration, attempt, browser, page } = await askConsent(gateway);
    t.match(page, { status: 200, url: { pathname: /^\/consent\// } });
    t.match(page.html, /Alice Example/);
    t.match(page.html, /Shop/);
    t.match(page.html, /phone number/);
    const { url } = await browser.submit(page, { action: 'allow' }, gateway.isCallback);
    const tokens = await gateway.exchange(configuration, attempt, url);
    t.match(tokens.claims(), { sub: alice.id, amr: ['pwd', 'sms', 'mfa'] });
    t.equal(tokens.scope, 'openid profile phone');
    t.equal((await rowsOf(gateway, 'Interaction')).length, 0, 'the question is gone');

    const again = await gateway.signIn({ scope: 'openid phone' }, { browser });
    t.notOk(again.asked);
    const elsewhere = await gateway.signIn({ scope: 'openid phone' }, { browser: createBrowser() });
    t.ok(elsewhere.tokens.id_token, 'in another browser too, after the login');

    const more = await askConsent(gateway, { scope: 'openid email' }, browser);
    t.match(more.page.url.pathname, /^\/consent\//, 'something new is asked for');
    const prompted = await askConsent(gateway, { prompt: 'consent' }, browser);
    t.match(prompted.page.url.pathname, /^\/consent\//, 'prompt=consent');

    const bobs = createBrowser();
    const attempt2 = await gateway.begin(configuration);
    const login = await bobs.open(attempt2.url);
    const asked = await bobs.submit(login, { user: bob.id, methods: 'pwd' }, gateway.isCallback);
    t.match(asked.url.pathname, /^\/consent\//, 'another person is asked');
    t.equal((await rowsOf(gateway, 'Grant')).length, 1);
  });
});

t.test('not allowing, and what does not count as an answer', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { attempt, browser, page } = await askConsent(gateway);
    const stranger = await createBrowser().open(page.url);
    t.equal(stranger.status, 410, 'another browser');
    const forged = {
      ...page,
      html: page.html.replace(/name="_token" value="[^"]*"/, 'name="_token" value="x"'),
    };
    t.equal((await browser.submit(forged, { action: 'allow' }, gateway.isCallback)).status, 403);
    t.equal((await browser.submit(page, { action: 'maybe' }, gateway.isCallback)).status, 400);
    t.equal((await rowsOf(gateway, 'Grant')).length, 0);
    const { url } = await browser.submit(page, { action: 'deny' }, gateway.isCallback);
    t.equal(url.searchParams.get('error'), 'access_denied');
    t.equal(url.searchParams.get('state'), attempt.state);
    t.equal(
      (await browser.submit(page, { action: 'allow' }, gateway.isCallback)).status,
      410,
      'answered already',
    );
    t.equal((await rowsOf(gateway, 'Grant')).length, 0);

    const silent = await askConsent(gateway, { prompt: 'none' }, browser);
    t.equal(silent.page.url.searchParams.get('error'), 'consent_required');

    const left = await askConsent(gateway, {}, browser);
    const [session] = await storage.db.selectFrom('sessions').select('id').execute();
    await storage.transaction((tx) => gateway.sessions.revoke(tx, session?.id ?? '', 'test', new Date()));
    t.equal(
      (await browser.submit(left.page, { action: 'allow' }, gateway.isCallback)).status,
      410,
      'logged out',
    );
  });
});

t.test('an answer counts only in the session that was asked', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { browser, page } = await askConsent(gateway);
    // Allowed, but the browser does not come back before someone else has logged in there.
    const halted = await browser.submit(page, { action: 'allow' }, () => true);
    gateway.apps.set('other', { ...shop, id: 'other' });
    await gateway.signIn(
      { prompt: 'login' },
      { browser, app: 'other', login: { user: bob.id, methods: 'pwd' } },
    );
    const back = await browser.open(halted.url, gateway.isCallback);
    t.match(back.url.pathname, /^\/consent\//, 'Bob is asked himself');
    t.match(back.html, /bob/);
    t.strictSame(
      gateway.log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});

t.test('offline access, and prompt=consent at an app of the operator’s own', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const scope = 'openid offline_access';
    const first = await askConsent(gateway, { scope });
    const end = await first.browser.submit(first.page, { action: 'allow' }, gateway.isCallback);
    const without = await gateway.exchange(first.configuration, first.attempt, end.url);
    t.notOk(
      without.refresh_token,
      'others’ apps have to ask with prompt=consent (OpenID Connect Core, section 11)',
    );
    const asked = await askConsent(gateway, { scope, prompt: 'consent' }, first.browser);
    const allowed = await first.browser.submit(asked.page, { action: 'allow' }, gateway.isCallback);
    t.ok((await gateway.exchange(asked.configuration, asked.attempt, allowed.url)).refresh_token);

    gateway.apps.set('shop', shop);
    for (const prompt of ['consent', 'login', 'login consent']) {
      const { tokens } = await gateway.signIn({ scope, prompt }, { browser: createBrowser() });
      t.ok(tokens.refresh_token, `no consent page with prompt=${prompt}`);
    }
    gateway.apps.set('shop', { ...shop, scopes: ['openid'] });
    const refused = await gateway.begin(await gateway.configure(), { scope });
    const { url } = await gateway.authorize(createBrowser(), refused);
    t.match(url.searchParams.get('code') ?? url.searchParams.get('error'), /./);
    t.notOk((await gateway.signIn({ scope })).tokens.refresh_token, 'not in the app’s list');
  });
});
