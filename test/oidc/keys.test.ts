import { type CryptoKey, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import * as client from 'openid-client';
import t from 'tap';
import type { App } from '../../src/apps/types.ts';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { callback, type Harness, openOidc, shop } from './harness.ts';
import { appKeys, assertion, bank } from './proofs.ts';

const now = () => Math.floor(Date.now() / 1000);

async function authenticate(gateway: Harness, jwt: string, more: Record<string, string> = {}) {
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt,
    ...more,
  };
  const response = await fetch(new URL('/token', gateway.issuer), {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

t.test('private_key_jwt: signs in, and each assertion counts once', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { privateKey, app } = await bank();
    gateway.apps.set(app.id, app);
    const configuration = await gateway.configure(app.id, client.PrivateKeyJwt(privateKey));
    const attempt = await gateway.begin(configuration);
    const { url } = await gateway.authorize(createBrowser(), attempt);
    t.ok((await gateway.exchange(configuration, attempt, url)).id_token);

    const jwt = await assertion(gateway, privateKey);
    t.equal((await authenticate(gateway, jwt)).status, 200);
    t.match(await authenticate(gateway, jwt), { status: 401, body: { error: 'invalid_client' } }, 'twice');
  });
});

t.test('private_key_jwt: what does not count', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { privateKey, app } = await bank();
    gateway.apps.set(app.id, app);
    const stranger = await generateKeyPair('ES256');
    const cases: [string, Promise<string>][] = [
      ['another key', assertion(gateway, stranger.privateKey)],
      ['another audience', assertion(gateway, privateKey, { aud: 'https://elsewhere.test' })],
      ['another issuer', assertion(gateway, privateKey, { iss: 'shop' })],
      ['run out', assertion(gateway, privateKey, { exp: now() - 60 })],
      ['runs for a day', assertion(gateway, privateKey, { exp: now() + 86_400 })],
      ['no end', assertion(gateway, privateKey, { exp: undefined })],
      ['end beyond all time', assertion(gateway, privateKey, { exp: 1e300 })],
      ['no id', assertion(gateway, privateKey, { jti: undefined })],
      ['the subject is another app', assertion(gateway, privateKey, { sub: 'shop' })],
    ];
    for (const [what, jwt] of cases) {
      const refused = await authenticate(gateway, await jwt);
      t.match(refused, { status: 401, body: { error: 'invalid_client' } }, what);
    }
    const hmac = new SignJWT({ jti: 'x' }).setProtectedHeader({ alg: 'HS256' });
    const guessed = await hmac
      .setIssuer(app.id)
      .setSubject(app.id)
      .setAudience(gateway.issuer.origin)
      .setExpirationTime('1m')
      .sign(new TextEncoder().encode(JSON.stringify(app.jwks)));
    t.equal((await authenticate(gateway, guessed)).status, 401, 'a symmetric signature');
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: app.id });
    const none = await fetch(new URL('/token', gateway.issuer), { method: 'POST', body });
    t.equal(none.status, 401, 'nothing at all');
    t.strictSame(
      gateway.log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});

t.test('keys at a URL are fetched by our own way out', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { privateKey, app } = await bank();
    const jwksUri = 'https://bank.test/keys.json';
    gateway.apps.set(app.id, { ...app, jwks: null, jwksUri });
    t.equal((await authenticate(gateway, await assertion(gateway, privateKey))).status, 401, 'nothing there');
    gateway.documents.set(jwksUri, JSON.stringify(app.jwks));
    t.equal((await authenticate(gateway, await assertion(gateway, privateKey))).status, 200);
  });
});

async function requestObject(gateway: Harness, key: CryptoKey, claims: JWTPayload): Promise<string> {
  return new SignJWT({ client_id: 'bank', redirect_uri: callback, response_type: 'code', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setIssuer('bank')
    .setAudience(gateway.issuer.origin)
    .setExpirationTime('1m')
    .sign(key);
}

t.test('JAR: only what is signed counts', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { privateKey, app } = await bank();
    gateway.apps.set(app.id, app);
    const configuration = await gateway.configure(app.id, client.PrivateKeyJwt(privateKey));
    const attempt = await gateway.begin(configuration, { scope: 'openid profile offline_access' });
    const url = await client.buildAuthorizationUrlWithJAR(
      configuration,
      attempt.url.searchParams,
      privateKey,
    );
    t.notOk(url.searchParams.has('scope'));
    const signed = await gateway.authorize(createBrowser(), { ...attempt, url });
    const tokens = await gateway.exchange(configuration, attempt, signed.url);
    t.ok(tokens.refresh_token, 'offline access is found in the signed request');

    const stranger = await generateKeyPair('ES256');
    const open = async (jwt: string, more: Record<string, string> = {}) => {
      const ask = new URL('/authorize', gateway.issuer);
      ask.search = new URLSearchParams({ client_id: 'bank', request: jwt, ...more }).toString();
      const page = await createBrowser().open(ask, gateway.isCallback);
      return page.url.searchParams.get('error') ?? `${page.status}`;
    };
    const asked = { scope: 'openid', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' };
    const whole = { ...asked, code_challenge_method: 'S256' };
    t.equal(await open(await requestObject(gateway, privateKey, whole)), '200', 'the login page');
    t.not(await open(await requestObject(gateway, stranger.privateKey, whole)), '200', 'another key');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
      JSON.stringify({ ...whole, iss: 'bank', client_id: 'bank', redirect_uri: callback }),
    ).toString('base64url')}.`;
    t.not(await open(unsigned), '200', 'unsigned');
    const elsewhere = await requestObject(gateway, privateKey, {
      ...whole,
      redirect_uri: 'https://evil.test/',
    });
    t.equal(await open(elsewhere), '400', 'an address that is not registered');
    const lifted = await requestObject(gateway, privateKey, { ...whole, code_challenge: undefined });
    t.not(await open(lifted, asked), '200', 'what stands beside it does not count');
  });
});

t.test('an app with a secret cannot be taken for one with keys', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const keys = await appKeys();
    const mixed: App = { ...shop, jwks: keys.jwks };
    gateway.apps.set(shop.id, mixed);
    const jwt = await assertion(gateway, keys.privateKey, { iss: shop.id, sub: shop.id });
    t.equal((await authenticate(gateway, jwt)).status, 401);
  });
});
