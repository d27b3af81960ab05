import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, type Harness, openOidc, shop } from './harness.ts';

const claims = (value: unknown) => ({ scope: 'openid', claims: JSON.stringify(value) });

async function userinfo(gateway: Harness, token: string) {
  const headers = { authorization: `Bearer ${token}` };
  return (await (await fetch(new URL('/userinfo', gateway.issuer), { headers })).json()) as object;
}

t.test('claims by name: those of scopes that the app may ask for', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, scopes: ['openid', 'profile', 'email', 'offline_access'] });
    const { tokens } = await gateway.signIn({
      ...claims({
        userinfo: { email: { essential: true }, phone_number: null, nonsense: null },
        id_token: { name: null, groups: null, auth_time: { essential: true } },
      }),
      scope: 'openid offline_access',
    });
    const expected = { name: alice.name ?? '' };
    t.match(tokens.claims(), expected);
    t.equal(typeof tokens.claims()?.auth_time, 'number');
    t.notOk('groups' in (tokens.claims() ?? {}), 'not within its scopes');
    const info = await userinfo(gateway, tokens.access_token);
    t.strictSame(info, { sub: alice.id, email: alice.email });

    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    const { body } = await gateway.post('/token', form);
    t.strictSame(await userinfo(gateway, body.access_token), info, 'the same after a refresh');
  });
});

t.test('claims by name need consent where scopes do', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, firstParty: false });
    const configuration = await gateway.configure();
    const attempt = await gateway.begin(configuration, claims({ userinfo: { email: null } }));
    const browser = createBrowser();
    const login = await browser.open(attempt.url, gateway.isCallback);
    const page = await browser.submit(login, { user: alice.id, methods: 'pwd' }, gateway.isCallback);
    t.match(page.html, /e-mail address/);
    const { url } = await browser.submit(page, { action: 'allow' }, gateway.isCallback);
    const tokens = await gateway.exchange(configuration, attempt, url);
    t.match(await userinfo(gateway, tokens.access_token), { email: alice.email });
  });
});

t.test('claims that cannot be read', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    for (const value of ['{', '[]', '{"userinfo":1}', '{}']) {
      const attempt = await gateway.begin(await gateway.configure(), { claims: value });
      const { url } = await createBrowser().open(attempt.url, gateway.isCallback);
      t.equal(url.searchParams.get('error'), 'invalid_request', value);
    }
  });
});

t.test('an essential acr is reached or refused', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const two = claims({
      id_token: { acr: { essential: true, values: ['urn:sallyport:acr:2'] } },
    });
    const configuration = await gateway.configure();
    const browser = createBrowser();
    const attempt = await gateway.begin(configuration, two);
    const low = await gateway.authorize(browser, attempt, { user: alice.id, methods: 'pwd' });
    t.equal(low.url.searchParams.get('error'), 'unmet_authentication_requirements', 'not asked for ever');
    const again = await gateway.begin(configuration, two);
    const high = await gateway.authorize(browser, again, { user: alice.id, methods: 'sms' });
    t.ok(high.asked, 'a session with less is not enough');
    t.match((await gateway.exchange(configuration, again, high.url)).claims(), {
      acr: 'urn:sallyport:acr:2',
    });
    const third = await gateway.begin(configuration, two);
    t.notOk((await gateway.authorize(browser, third)).asked, 'now it is');
  });
});

t.test('another subject than the one insisted on', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const extra = claims({ id_token: { sub: { value: 'usr_bob' } } });
    const attempt = await gateway.begin(await gateway.configure(), extra);
    const { url } = await gateway.authorize(createBrowser(), attempt);
    t.equal(url.searchParams.get('error'), 'login_required');
  });
});

t.test('form_post: the answer as a form, in success and failure', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const configuration = await gateway.configure();
    const browser = createBrowser();
    await gateway.signIn({}, { browser });
    const attempt = await gateway.begin(configuration, { response_mode: 'form_post' });
    const page = await browser.open(attempt.url, gateway.isCallback);
    t.equal(page.status, 200);
    t.match(page.html, /<form method="post" action="http:\/\/localhost:4501\/callback">/);
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(page.html)?.[1] ?? '';
    t.equal(field('state'), attempt.state);
    const url = new URL('http://localhost:4501/callback');
    for (const name of ['code', 'state', 'iss']) url.searchParams.set(name, field(name));
    t.ok((await gateway.exchange(configuration, attempt, url)).id_token);

    const silent = await gateway.begin(configuration, { response_mode: 'form_post', prompt: 'none' });
    const refused = await createBrowser().open(silent.url, gateway.isCallback);
    t.match(refused.html, /name="error" value="login_required"/);

    const raw = await fetch(silent.url);
    t.match(raw.headers.get('content-security-policy') ?? '', /script-src 'self' 'sha256-/);
    t.notMatch(raw.headers.get('content-security-policy') ?? '', /form-action/);

    gateway.apps.set('shop', { ...shop, responseModes: ['query'] });
    const plain = await gateway.begin(configuration, { response_mode: 'form_post' });
    const unsupported = await createBrowser().open(plain.url, gateway.isCallback);
    t.not(unsupported.url.pathname.startsWith('/login/'), true, 'not for this app');
  });
});

t.test('a request to sign in may come as a form', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const configuration = await gateway.configure();
    const attempt = await gateway.begin(configuration);
    const at = new URL('/authorize', gateway.issuer);
    const sent = await fetch(at, { method: 'POST', body: attempt.url.searchParams, redirect: 'manual' });
    t.equal(sent.status, 303);
    const target = new URL(sent.headers.get('location') ?? '', gateway.issuer);
    t.equal(target.origin, gateway.issuer.origin);
    const { url } = await gateway.authorize(createBrowser(), { ...attempt, url: target });
    t.ok((await gateway.exchange(configuration, attempt, url)).id_token);

    const huge = new URLSearchParams({ state: 'x'.repeat(20_000) });
    t.equal((await fetch(at, { method: 'POST', body: huge })).status, 413);
    const strange = await fetch(at, { method: 'POST', body: 'a=b\r\nSet-Cookie: x', redirect: 'manual' });
    t.equal(strange.status, 415);
    const empty = await fetch(at, { method: 'POST' });
    t.equal(empty.status, 400);
  });
});
