import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import t from 'tap';
import type { App } from '../../src/apps/types.ts';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, basic, type Harness, openOidc, secret, secretHash, shop } from './harness.ts';
import { ordersApi } from './proofs.ts';

const stockApi = { ...ordersApi, audience: 'urn:example:stock', name: 'Stock', scopes: ['stock:read'] };
const opaqueApi = { ...stockApi, tokenFormat: 'opaque' as const, client: 'stock-api' };
const worker: App = {
  ...shop,
  id: 'worker',
  redirectUris: [],
  flow: '',
  grantTypes: ['client_credentials'],
  resources: [ordersApi],
};

/** As an API does it: signature, type, issuer and audience. */
async function verify(gateway: Harness, token: string, audience: string) {
  const keys = createRemoteJWKSet(new URL('/jwks', gateway.issuer));
  const { issuer } = gateway;
  return (await jwtVerify(token, keys, { issuer: issuer.origin, audience, typ: 'at+jwt' })).payload;
}

t.test('a token for an API: a JWT of RFC 9068', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, resources: [ordersApi] });
    const { tokens, configuration } = await gateway.signIn({
      scope: 'openid profile offline_access orders:read stock:read',
      resource: ordersApi.audience,
    });
    const payload = await verify(gateway, tokens.access_token, ordersApi.audience);
    t.match(payload, { sub: alice.id, client_id: 'shop', scope: 'orders:read', jti: String });
    t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 900);
    t.equal(tokens.claims()?.aud, 'shop');
    const refused = await fetch(new URL('/userinfo', gateway.issuer), {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    t.equal(refused.status, 401, 'it is not for us');

    const renewed = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '');
    t.match(await verify(gateway, renewed.access_token, ordersApi.audience), { scope: 'orders:read' });
    const other = { grant_type: 'refresh_token', refresh_token: renewed.refresh_token ?? '' };
    const more = await gateway.post('/token', { ...other, resource: stockApi.audience });
    t.match(more, { status: 400, body: { error: 'invalid_target' } }, 'no other API than was asked for');
    const kept = await storage.db.selectFrom('oidc_artifacts').select('model').execute();
    t.notOk(
      kept.some(({ model }) => model === 'AccessToken'),
      'JWTs are not stored',
    );
  });
});

t.test('APIs that the app may not name', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, resources: [ordersApi] });
    for (const resource of ['https://elsewhere.test/', 'nonsense', `${ordersApi.audience}#part`]) {
      const attempt = await gateway.begin(await gateway.configure(), { resource });
      const { url } = await createBrowser().open(attempt.url, gateway.isCallback);
      t.equal(url.searchParams.get('error'), 'invalid_target', resource);
    }
  });
});

t.test('several APIs: one token for each', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, resources: [ordersApi, stockApi] });
    const configuration = await gateway.configure();
    const attempt = await gateway.begin(configuration, { scope: 'openid orders:read stock:read' });
    for (const api of [ordersApi, stockApi]) attempt.url.searchParams.append('resource', api.audience);
    const { url } = await gateway.authorize(createBrowser(), attempt);
    const tokens = await client.authorizationCodeGrant(
      configuration,
      url,
      { pkceCodeVerifier: attempt.verifier, expectedState: attempt.state, expectedNonce: attempt.nonce },
      { resource: stockApi.audience },
    );
    const payload = await verify(gateway, tokens.access_token, stockApi.audience);
    t.equal(payload.scope, 'stock:read');
  });
});

t.test('an opaque token is told to the API that it is for', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, resources: [opaqueApi] });
    const api = { ...worker, resources: [], secretHashes: [secretHash('y'.repeat(40))] };
    gateway.apps.set('stock-api', { ...api, id: 'stock-api' });
    gateway.apps.set('stranger', { ...api, id: 'stranger' });
    const { tokens } = await gateway.signIn({ scope: 'openid stock:read', resource: opaqueApi.audience });
    const ask = async (id: string) => {
      const headers = { authorization: basic(id, 'y'.repeat(40)) };
      return (await gateway.post('/introspect', { token: tokens.access_token }, headers)).body;
    };
    t.match(await ask('stock-api'), {
      active: true,
      aud: opaqueApi.audience,
      scope: 'stock:read',
      sub: alice.id,
    });
    t.strictSame(await ask('stranger'), { active: false });
    gateway.users.set(alice.id, { ...alice, disabled: true });
    t.strictSame(await ask('stock-api'), { active: false }, 'a disabled person');
  });
});

t.test('client credentials', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('worker', worker);
    const configuration = await gateway.configure('worker', client.ClientSecretBasic(secret));
    const tokens = await client.clientCredentialsGrant(configuration, { scope: 'orders:read nonsense' });
    const payload = await verify(gateway, tokens.access_token, ordersApi.audience);
    t.match(payload, { sub: 'worker', client_id: 'worker', scope: 'orders:read' });
    t.notOk(tokens.refresh_token);
    t.notOk(tokens.id_token);

    const grant = { grant_type: 'client_credentials', scope: 'orders:read' };
    const headers = { authorization: basic('worker', secret) };
    const post = (form: Record<string, string>, more = headers) => gateway.post('/token', form, more);
    t.match(await post({ ...grant, resource: stockApi.audience }), {
      status: 400,
      body: { error: 'invalid_target' },
    });
    t.equal((await gateway.post('/token', grant)).status, 400, 'an app that was not given this grant');
    gateway.apps.set('worker', { ...worker, resources: [ordersApi, opaqueApi] });
    t.match(await post(grant), { status: 400, body: { error: 'invalid_target' } }, 'which of them?');

    const opaque = (await post({ ...grant, scope: 'stock:read', resource: opaqueApi.audience })).body;
    t.match((await gateway.post('/introspect', { token: opaque.access_token }, headers)).body, {
      active: true,
      aud: opaqueApi.audience,
    });
    await gateway.post('/revoke', { token: opaque.access_token }, headers);
    const after = await gateway.post('/introspect', { token: opaque.access_token }, headers);
    t.strictSame(after.body, { active: false });

    const url = new URL('/authorize', gateway.issuer);
    url.search = new URLSearchParams({
      client_id: 'worker',
      response_type: 'code',
      scope: 'openid',
    }).toString();
    t.equal((await createBrowser().open(url)).status, 400, 'it has no users');
  });
});

t.test('consent speaks of the API, and is remembered for it', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, firstParty: false, resources: [ordersApi] });
    const browser = createBrowser();
    const extra = { scope: 'openid orders:read', resource: ordersApi.audience };
    const attempt = await gateway.begin(await gateway.configure(), extra);
    const login = await browser.open(attempt.url, gateway.isCallback);
    const page = await browser.submit(login, { user: alice.id, methods: 'pwd' }, gateway.isCallback);
    t.match(page.html, /Orders: orders:read/);
    const { url } = await browser.submit(page, { action: 'allow' }, gateway.isCallback);
    t.ok(url.searchParams.get('code'));

    const again = await gateway.begin(await gateway.configure(), extra);
    t.ok((await browser.open(again.url, gateway.isCallback)).url.searchParams.get('code'));
    const wider = await gateway.begin(await gateway.configure(), {
      ...extra,
      scope: 'openid orders:read orders:write',
    });
    t.match((await browser.open(wider.url, gateway.isCallback)).html, /orders:write/);
  });
});
