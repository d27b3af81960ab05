import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { alice, type Harness, introspect, openOidc, shop } from './harness.ts';

const grant = 'urn:ietf:params:oauth:grant-type:device_code';
const tv = {
  ...shop,
  id: 'tv',
  name: 'Television',
  public: true,
  secretHashes: [],
  tokenEndpointAuthMethod: 'none' as const,
  deviceFlow: true,
};

/** A public app says who it is in the form alone. */
async function post(gateway: Harness, path: string, form: Record<string, string>) {
  const answer = await fetch(new URL(path, gateway.issuer), {
    method: 'POST',
    headers: { 'user-agent': 'Telly/7 <b>' },
    body: new URLSearchParams({ client_id: 'tv', ...form }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

/** A device asks for its codes. */
async function ask(gateway: Harness, scope = 'openid profile') {
  const { status, body } = await post(gateway, '/device/authorize', { scope });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as unknown as {
    device_code: string;
    user_code: string;
    verification_uri: string;
    verification_uri_complete: string;
  };
}

const poll = (gateway: Harness, device_code: string) =>
  post(gateway, '/token', { grant_type: grant, device_code });

async function openTv(t: Parameters<typeof openOidc>[0], storage: Parameters<typeof openOidc>[1]) {
  const gateway = await openOidc(t, storage);
  gateway.apps.set('tv', tv);
  return gateway;
}

/** Types the code; answers the page that asks whether it is one's own device. */
async function type(gateway: Harness, code: string, browser = createBrowser()) {
  const form = await browser.open(new URL('/device', gateway.issuer), gateway.isCallback);
  const page = await browser.submit(form, { user_code: code }, gateway.isCallback);
  return { browser, form, page };
}

t.test('a device is connected by a person who logs in elsewhere', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    const device = await ask(gateway, 'openid profile offline_access');
    t.match(device.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    t.equal(device.verification_uri, `${gateway.issuer.origin}/device`);
    t.match((await poll(gateway, device.device_code)).body, { error: 'authorization_pending' });

    const { browser, page } = await type(gateway, device.user_code.toLowerCase().replace('-', ' '));
    t.equal(page.status, 200);
    t.match(page.html, /Television/);
    t.match(page.html, /127\.0\.0\.1/);
    t.match(page.html, /Telly\/7 &lt;b&gt;/);
    t.notMatch(page.html, /<script>/);
    const login = await browser.submit(page, { confirm: 'yes' }, gateway.isCallback);
    t.match(login.url.pathname, /^\/login\//);
    t.match((await poll(gateway, device.device_code)).body, { error: 'authorization_pending' });
    const done = await browser.submit(login, { user: alice.id, methods: 'pwd sms' }, gateway.isCallback);
    t.match(done.html, /Your device is connected/);

    const { status, body } = await poll(gateway, device.device_code);
    t.equal(status, 200);
    t.match(body, { access_token: String, id_token: String, scope: 'openid profile offline_access' });
    t.ok(body.refresh_token, 'it may stay connected');
    t.match(JSON.parse(Buffer.from(body.id_token?.split('.')[1] ?? '', 'base64url').toString()), {
      sub: alice.id,
      aud: 'tv',
      amr: ['pwd', 'sms', 'mfa'],
    });
    t.match((await poll(gateway, device.device_code)).body, { error: 'invalid_grant' }, 'once');

    const second = await ask(gateway);
    const quick = await type(gateway, second.user_code, browser);
    const end = await browser.submit(quick.page, { confirm: 'yes' }, gateway.isCallback);
    t.match(end.html, /Your device is connected/, 'without a login where a session is enough');
    t.match((await poll(gateway, second.device_code)).body, { access_token: String });
  });
});

t.test('refusing, a cancelled login, a code used before, a wrong one', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    const device = await ask(gateway);
    const { browser, page } = await type(gateway, device.user_code);
    const end = await browser.submit(page, { abort: 'yes' }, gateway.isCallback);
    t.match(end.html, /The device was refused/);
    t.match((await poll(gateway, device.device_code)).body, { error: 'access_denied' });
    t.match((await type(gateway, device.user_code, browser)).page.html, /This code has been used/);
    t.match((await type(gateway, 'BBBB-BBBB')).page.html, /We do not know this code/);

    const second = await ask(gateway);
    const answer = await type(gateway, second.user_code);
    const login = await answer.browser.submit(answer.page, { confirm: 'yes' }, gateway.isCallback);
    const cancelled = await answer.browser.submit(login, {}, gateway.isCallback);
    t.match(cancelled.html, /The device was refused/);
    t.match((await poll(gateway, second.device_code)).body, { error: 'access_denied' });
  });
});

t.test('consent is asked for on the way, where the app is not the operator’s', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    gateway.apps.set('tv', { ...tv, firstParty: false });
    const device = await ask(gateway);
    const { browser, page } = await type(gateway, device.user_code);
    const login = await browser.submit(page, { confirm: 'yes' }, gateway.isCallback);
    const consent = await browser.submit(login, { user: alice.id, methods: 'pwd' }, gateway.isCallback);
    t.match(consent.url.pathname, /^\/consent\//);
    const done = await browser.submit(consent, { action: 'allow' }, gateway.isCallback);
    t.match(done.html, /Your device is connected/);
    t.match((await poll(gateway, device.device_code)).body, { access_token: String });
  });
});

t.test('who may not', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    const refused = await gateway.post('/device/authorize', { scope: 'openid' });
    t.match(
      refused,
      { status: 400, body: { error: 'invalid_request', error_description: /not allowed/ } },
      'off unless the app says so',
    );

    const device = await ask(gateway);
    const { page, browser } = await type(gateway, device.user_code);
    const send = (form: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(new URL('/device', gateway.issuer), {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { accept: 'text/html', ...headers },
      });
    const foreign = await send({ user_code: device.user_code }, { origin: 'https://evil.example' });
    t.equal(foreign.status, 403);
    t.equal((await send({ user_code: device.user_code }, { 'sec-fetch-site': 'cross-site' })).status, 403);
    const without = await send({ user_code: device.user_code, confirm: 'yes', xsrf: 'x' });
    t.notMatch(await without.text(), /Television/, 'without the cookie of the form');
    const hollow = await send({ user_code: device.user_code, confirm: 'yes' });
    t.equal(hollow.status, 400, 'nor without both');
    t.match((await poll(gateway, device.device_code)).body, { error: 'authorization_pending' });
    await browser.submit(page, { abort: 'yes' }, gateway.isCallback);

    let last = 200;
    for (let tries = 0; tries < 70 && last !== 429; tries++) last = (await send({ user_code: 'X' })).status;
    t.equal(last, 429, 'guessing ends');
  });
});

t.test('a link with the code fills the form, and sends nothing', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    const device = await ask(gateway);
    const answer = await fetch(device.verification_uri_complete);
    const html = await answer.text();
    t.match(html, new RegExp(`value="${device.user_code}"`));
    t.notMatch(html, /Television/);
    const hostile = await fetch(new URL('/device?user_code=%22%3E%3Cscript%3E', gateway.issuer));
    t.notMatch(await hostile.text(), /"><script>/);
  });
});

t.test('at rest: neither code is in the database, and a hash does not work in their place', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    const device = await ask(gateway);
    const { browser, page } = await type(gateway, device.user_code);
    await browser.submit(page, { confirm: 'yes' }, gateway.isCallback);
    const rows = await storage.db.selectFrom('oidc_artifacts').selectAll().execute();
    const all = JSON.stringify([rows, [...gateway.fake.logins.values()]]);
    t.notMatch(all, new RegExp(device.device_code));
    t.notMatch(all, new RegExp(device.user_code.replace('-', '-?')));
    const row = rows.find(({ model }) => model === 'DeviceCode');
    const answer = await poll(gateway, `#${row?.id_hash}`);
    t.match(answer.body, { error: 'invalid_grant' });
  });
});

t.test('one code of a device, polled sixteen times at once after it was allowed: one token', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    const device = await ask(gateway);
    const { browser, page } = await type(gateway, device.user_code);
    const login = await browser.submit(page, { confirm: 'yes' }, gateway.isCallback);
    await browser.submit(login, { user: alice.id, methods: 'pwd' }, gateway.isCallback);
    const answers = await Promise.all(Array.from({ length: 16 }, () => poll(gateway, device.device_code)));
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
    const token = answers.find(({ status }) => status === 200)?.body.access_token;
    t.equal(await introspect(gateway, token ?? ''), false, 'and a second use ends what the first was given');
  });
});

t.test('no more devices may begin within a minute than an app can have', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openTv(t, storage);
    const kept = () => storage.db.selectFrom('oidc_artifacts').select('id_hash').execute();
    await storage.counters.add('device:tv:127.0.0.1', 60_000, new Date(), 299);
    await ask(gateway);
    const before = await kept();
    const refused = await post(gateway, '/device/authorize', { scope: 'openid' });
    t.match(refused, { status: 429, body: { error: 'temporarily_unavailable' } });
    t.equal((await kept()).length, before.length, 'what was refused is not kept');
  });
});
