import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, bob, introspect, openOidc, sessionsOf, silently } from './harness.ts';

const pwd = { user: alice.id, methods: 'pwd' };

t.test('ways that do not end in a code', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const configuration = await gateway.configure();
    const browser = createBrowser();
    const cancelled = await gateway.begin(configuration);
    const page = await browser.open(cancelled.url);
    const back = await browser.submit(page, {}, gateway.isCallback);
    t.equal(back.url.searchParams.get('error'), 'access_denied');
    t.equal(back.url.searchParams.get('state'), cancelled.state);
    t.equal(back.url.searchParams.get('iss'), gateway.issuer.origin);

    const attempt = await gateway.begin(configuration);
    const login = await browser.open(attempt.url);
    const resume = await gateway.fake.finish(login.url.pathname.split('/').at(-1) ?? '', alice.id, ['pwd']);
    const stranger = await createBrowser().open(resume, gateway.isCallback);
    t.equal(stranger.status, 410, 'another browser cannot go on with it');
    t.ok((await browser.open(resume, gateway.isCallback)).url.searchParams.get('code'));
    const twice = await browser.open(resume, gateway.isCallback);
    t.equal(twice.status, 410, 'the back button: no second code, a page that says so');
    t.match(twice.html, /start again from the app/);

    const unknown = await gateway.begin(configuration, { client_id: 'nobody' });
    const page1 = await browser.open(unknown.url, gateway.isCallback);
    t.match(page1, { status: 400, html: /nobody/ });
    t.notMatch(page1.html, /at .*\.(ts|js):/);
    const moved = await gateway.begin(configuration, { redirect_uri: 'https://evil.test/<cb>' });
    const page2 = await browser.open(moved.url, gateway.isCallback);
    t.match(page2, { status: 400, html: /https:\/\/evil\.test\/&lt;cb&gt;/ });
    const strange = await gateway.begin(configuration, { scope: 'openid admin' });
    const end = await browser.open(strange.url, gateway.isCallback);
    t.ok(gateway.isCallback(end.url), 'unknown scopes are ignored or refused to the app, not to the person');

    const hinted = await gateway.signIn({}, { browser: createBrowser(), login: pwd });
    const other = await gateway.begin(configuration, { id_token_hint: hinted.tokens.id_token ?? '' });
    const mismatch = await gateway.authorize(createBrowser(), other, { user: bob.id, methods: 'pwd' });
    t.equal(mismatch.url.searchParams.get('error'), 'login_required', 'another user than the one hinted at');
  });
});

t.test('logout', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    const { tokens } = await gateway.signIn({}, { browser });
    const end = new URL('/session/end', gateway.issuer);
    end.search = new URLSearchParams({
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://localhost:4501/bye',
      state: 'xyz',
    }).toString();
    const wrong = new URL(end);
    wrong.searchParams.set('post_logout_redirect_uri', 'http://localhost:4501/bye/');
    t.equal((await browser.open(wrong, gateway.isCallback)).status, 400, 'to the letter');

    const question = await browser.open(end);
    t.match(question, { status: 200, html: /name="xsrf"/ });
    t.equal(await silently(gateway, browser), 'code', 'asking changes nothing');
    const forged = {
      ...question,
      html: question.html.replace(/name="xsrf" value="[^"]*"/, 'name="xsrf" value="x"'),
    };
    t.equal((await browser.submit(forged, { logout: 'yes' }, gateway.isCallback)).status, 400);
    t.equal(await silently(gateway, browser), 'code', 'a forged answer neither');

    const again = await browser.open(end);
    const stayed = await browser.submit(again, {}, gateway.isCallback);
    t.equal(stayed.url.href, 'http://localhost:4501/bye?state=xyz');
    t.equal(await silently(gateway, browser), 'code', '“stay signed in” stays');

    const bare = await browser.open(new URL('/session/end', gateway.issuer));
    const told = await browser.submit(bare, {}, gateway.isCallback);
    t.match(told.html, 'You are still signed in', 'nor does the page say otherwise');

    const { tokens: more } = await gateway.signIn({}, { browser });
    const last = await browser.submit(await browser.open(end), { logout: 'yes' }, gateway.isCallback);
    t.equal(last.url.href, 'http://localhost:4501/bye?state=xyz');
    t.equal(await silently(gateway, browser), 'login_required');
    t.equal(await introspect(gateway, more.access_token), false);
    t.match(await sessionsOf(gateway), [{ revoked_reason: 'logout' }]);

    const nobody = await browser.open(end, gateway.isCallback);
    t.equal(nobody.url.href, 'http://localhost:4501/bye?state=xyz', 'nobody is logged in: nothing to ask');
    const plain = await browser.open(new URL('/session/end', gateway.issuer), gateway.isCallback);
    t.match(plain, { status: 200, url: { pathname: '/session/end/success' }, html: 'You are signed out' });
    t.strictSame(
      gateway.log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});
