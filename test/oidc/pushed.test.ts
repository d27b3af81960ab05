import * as client from 'openid-client';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, callback, type Harness, openOidc, secretHash, shop } from './harness.ts';

const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const request = {
  ...{ response_type: 'code', client_id: 'shop', redirect_uri: callback, scope: 'openid profile' },
  ...{ code_challenge: challenge, code_challenge_method: 'S256', state: 's' },
};

/** Where a browser ends that is sent with a pushed request: `code`, an error, or the status of a page. */
async function open(
  gateway: Harness,
  uri: string,
  { id = 'shop', browser = createBrowser() } = {},
): Promise<string> {
  const url = new URL('/authorize', gateway.issuer);
  url.search = new URLSearchParams({ client_id: id, request_uri: uri }).toString();
  const page = await gateway.authorize(browser, { url, verifier: '', state: '', nonce: '' });
  if (page.url.searchParams.has('code')) return 'code';
  return page.url.searchParams.get('error') ?? `${page.status}`;
}

t.test('a pushed request: once, by the app that pushed it', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const configuration = await gateway.configure();
    const attempt = await gateway.begin(configuration, { scope: 'openid offline_access' });
    const url = await client.buildAuthorizationUrlWithPAR(configuration, attempt.url.searchParams);
    t.strictSame([...url.searchParams.keys()].toSorted(), ['client_id', 'request_uri']);
    const { url: back } = await gateway.authorize(createBrowser(), { ...attempt, url });
    const tokens = await gateway.exchange(configuration, attempt, back);
    t.ok(tokens.refresh_token, 'offline access is found in the pushed request');
    t.equal(await open(gateway, url.searchParams.get('request_uri') ?? ''), '400', 'used up');

    const { status, body } = await gateway.post('/request', request);
    t.equal(status, 201);
    t.match(body, { request_uri: /^urn:ietf:params:oauth:request_uri:/, expires_in: 60 });
    gateway.apps.set('other', { ...shop, id: 'other', secretHashes: [secretHash('x'.repeat(40))] });
    t.equal(await open(gateway, body.request_uri, { id: 'other' }), '400', "another app's");
    t.equal(await open(gateway, body.request_uri), 'code', 'which did not use it up');

    const rows = await storage.db.selectFrom('oidc_artifacts').selectAll().execute();
    const kept = JSON.stringify(rows);
    t.notMatch(kept, body.request_uri.split(':').at(-1), 'the database does not know its secret');
  });
});

t.test('a request is used up by its code, however long the logins take', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { body } = await gateway.post('/request', request);
    const url = new URL('/authorize', gateway.issuer);
    url.search = new URLSearchParams({ client_id: 'shop', request_uri: body.request_uri }).toString();
    const browsers = [createBrowser(), createBrowser()];
    const pages = await Promise.all(browsers.map((browser) => browser.open(url, gateway.isCallback)));
    const interactions = JSON.stringify(
      [...gateway.fake.logins.values()].map(({ request: { continuation } }) => continuation),
    );
    t.notMatch(
      interactions,
      body.request_uri.split(':').at(-1),
      'what waits for the login names only a hash',
    );
    const ends: string[] = [];
    for (const [index, page] of pages.entries()) {
      const end = await browsers[index]?.submit(page, { user: alice.id, methods: 'pwd' }, gateway.isCallback);
      ends.push(end?.url.searchParams.has('code') ? 'code' : 'refused');
    }
    t.strictSame(ends, ['code', 'refused']);
  });
});

t.test('what cannot be pushed', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const cases: [string, Record<string, string>, string][] = [
      ['another address', { redirect_uri: 'https://evil.test/' }, 'invalid_request'],
      ['no PKCE', { code_challenge: '' }, 'invalid_request'],
      [
        'a request_uri within',
        { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
        'request_uri_not_supported',
      ],
      ['another app', { client_id: 'other' }, 'invalid_request'],
      ['a scope it may not have', { scope: 'openid groups' }, 'invalid_scope'],
    ];
    gateway.apps.set('shop', { ...shop, scopes: ['openid', 'profile'] });
    for (const [what, form, error] of cases) {
      t.match(
        await gateway.post('/request', { ...request, ...form }),
        { status: 400, body: { error } },
        what,
      );
    }
    const got = await fetch(new URL('/request', gateway.issuer));
    t.equal(got.status, 405);
    t.equal(got.headers.get('allow'), 'POST');
    const wrong = { authorization: `Basic ${Buffer.from('shop:wrong').toString('base64')}` };
    t.match(await gateway.post('/request', request, wrong), {
      status: 401,
      body: { error: 'invalid_client' },
    });
    t.equal(
      (await storage.db.selectFrom('oidc_artifacts').selectAll().execute()).length,
      0,
      'nothing was kept',
    );
  });
});

t.test('an app that must push', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, requirePushedAuthorizationRequests: true });
    const attempt = await gateway.begin(await gateway.configure());
    const { url } = await createBrowser().open(attempt.url, gateway.isCallback);
    t.equal(url.searchParams.get('error'), 'invalid_request');
    const { body } = await gateway.post('/request', request);
    t.equal(await open(gateway, body.request_uri), 'code');
  });
});
