import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, bob, introspect, openOidc, sessionsOf, shop, silently } from './harness.ts';

const pwd = { user: alice.id, methods: 'pwd' };

t.test('single sign-on, and asking again', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    t.equal(await silently(gateway, browser), 'login_required');
    const first = await gateway.signIn({}, { browser });
    t.equal(await silently(gateway, browser), 'code');
    const second = await gateway.signIn({}, { browser });
    t.notOk(second.asked, 'the session is enough');
    t.equal(second.tokens.claims()?.auth_time, first.tokens.claims()?.auth_time);

    const before = browser.cookie('sp-session');
    const again = await gateway.signIn({ prompt: 'login' }, { browser, login: pwd });
    t.ok(again.asked, 'prompt=login asks, once');
    t.not(browser.cookie('sp-session'), before, 'a new cookie');
    t.equal((await sessionsOf(gateway)).length, 1, 'for the same session');
    t.equal(await introspect(gateway, first.tokens.access_token), true, 'whose tokens live on');
    t.equal([...gateway.fake.logins.values()].at(-1)?.request.fresh, true);

    const stale = createBrowser();
    await gateway.signIn({}, { browser: stale });
    const zero = await gateway.signIn({ max_age: '0' }, { browser: stale });
    t.ok(zero.asked, 'max_age=0');
    t.notOk((await gateway.signIn({ max_age: '1000' }, { browser: stale })).asked);
    t.equal(await silently(gateway, stale, { acr_values: 'urn:sallyport:acr:2' }), 'code');
  });
});

t.test('what the app asks for reaches the login', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const attempt = await gateway.begin(await gateway.configure(), {
      login_hint: '+447700900123',
      max_age: '300',
      acr_values: 'urn:sallyport:acr:2 urn:sallyport:acr:1',
      ui_locales: 'de',
    });
    const page = await createBrowser().open(attempt.url);
    t.match(page.url.pathname, /^\/login\/lgn_/);
    const [login] = [...gateway.fake.logins.values()];
    t.match(login?.request, {
      app: { id: 'shop' },
      loginHint: '+447700900123',
      maxAgeMs: 300_000,
      acr: ['urn:sallyport:acr:2', 'urn:sallyport:acr:1'],
      locale: 'de',
      fresh: false,
      ip: '127.0.0.1',
    });
    t.notMatch(JSON.stringify(login?.request.continuation), /447700900123/, 'not in what is kept');

    gateway.apps.set('shop', { ...shop, loginUrl: 'http://localhost:4501/own-login?x=1' });
    const elsewhere = await createBrowser().open(attempt.url, gateway.isCallback);
    t.match(elsewhere.url.href, /^http:\/\/localhost:4501\/own-login\?x=1&login=lgn_/);
  });
});

t.test('a step-up keeps the session; another flow is asked for what the session lacks', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    const weak = await gateway.signIn({}, { browser, login: pwd });
    t.strictSame(weak.tokens.claims()?.amr, ['pwd']);
    gateway.apps.set('bank', { ...shop, id: 'bank' });
    gateway.fake.needed.set('bank', 2);
    const strong = await gateway.signIn(
      {},
      { browser, app: 'bank', login: { user: alice.id, methods: 'sms' } },
    );
    t.ok(strong.asked);
    t.match(strong.tokens.claims(), { acr: 'urn:sallyport:acr:2', amr: ['pwd', 'sms', 'mfa'] });
    t.equal((await sessionsOf(gateway)).length, 1);
    t.equal(await introspect(gateway, weak.tokens.access_token), true);
    t.notOk((await gateway.signIn({}, { browser, app: 'bank' })).asked);
  });
});

t.test('an ended session has ended everywhere', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    const { tokens } = await gateway.signIn({}, { browser });
    const lasting = await gateway.signIn({ scope: 'openid offline_access' }, { browser });
    const [row] = await sessionsOf(gateway);
    await storage.transaction((tx) => gateway.sessions.revoke(tx, row?.id ?? '', 'test', new Date()));
    t.equal(await silently(gateway, browser), 'login_required');
    t.equal(await introspect(gateway, tokens.access_token), false);
    const info = await fetch(new URL('/userinfo', gateway.issuer), {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    t.equal(info.status, 401);
    t.equal(
      await introspect(gateway, lasting.tokens.refresh_token ?? ''),
      true,
      'offline access outlives it',
    );

    const revokedMeanwhile = createBrowser();
    const attempt = await gateway.begin(await gateway.configure());
    const page = await revokedMeanwhile.open(attempt.url);
    const id = page.url.pathname.split('/').at(-1) ?? '';
    const resume = await gateway.fake.finish(id, alice.id, ['pwd']);
    const made = (await sessionsOf(gateway)).find(({ revoked_reason }) => revoked_reason === null);
    await storage.transaction((tx) => gateway.sessions.revoke(tx, made?.id ?? '', 'test', new Date()));
    const end = await revokedMeanwhile.open(resume, gateway.isCallback);
    t.equal(end.status, 410, 'no code for a session that ended between the login and the way back');
    t.notOk(gateway.isCallback(end.url));
  });
});

t.test('single sign-on counts as use', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    await gateway.signIn({}, { browser });
    const earlier = new Date(Date.now() - 3_600_000);
    await storage.db.updateTable('sessions').set({ last_seen_at: earlier }).execute();
    t.equal(await silently(gateway, browser), 'code');
    const row = await storage.db.selectFrom('sessions').select('last_seen_at').executeTakeFirstOrThrow();
    t.ok(Date.now() - row.last_seen_at.getTime() < 60_000);
  });
});

t.test('two tabs', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const configuration = await gateway.configure();
    gateway.apps.set('other', { ...shop, id: 'other' });
    const browser = createBrowser();
    const attempts = [
      await gateway.begin(configuration),
      await gateway.begin(await gateway.configure('other')),
    ] as const;
    const pages = [await browser.open(attempts[0].url), await browser.open(attempts[1].url)] as const;
    const one = await browser.submit(pages[0], { user: alice.id, methods: 'pwd' }, gateway.isCallback);
    const tokens = await gateway.exchange(configuration, attempts[0], one.url);
    const two = await browser.submit(pages[1], { user: alice.id, methods: 'pwd sms' }, gateway.isCallback);
    const others = await gateway.exchange(await gateway.configure('other'), attempts[1], two.url);
    t.match(others.claims(), { amr: ['pwd', 'sms', 'mfa'] });
    t.equal(await introspect(gateway, tokens.access_token), true, 'the first tab’s tokens live on');
    const live = (await sessionsOf(gateway)).filter(({ revoked_reason }) => revoked_reason === null);
    t.equal(live.length, 1, 'one session stays');

    const third = await gateway.begin(configuration, { prompt: 'login' });
    const page = await browser.open(third.url);
    await gateway.signIn({ prompt: 'login' }, { browser, login: { user: bob.id, methods: 'pwd' } });
    const end = await browser.submit(page, { user: alice.id, methods: 'pwd' }, gateway.isCallback);
    t.equal((await gateway.exchange(configuration, third, end.url)).claims()?.sub, alice.id);
    const after = (await sessionsOf(gateway)).filter(({ revoked_reason }) => revoked_reason === null);
    t.notOk(
      after.some(({ user_id }) => user_id === bob.id),
      'who was logged in meanwhile is not any more',
    );
  });
});
