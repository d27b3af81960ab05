import * as client from 'openid-client';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, basic, callback, type Harness, openOidc, secret, secretHash, shop } from './harness.ts';

const offline = { scope: 'openid profile offline_access' };

/** RFC 7636, appendix B, and what no server should take. */
const pkce = {
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  badVerifiers: ['', 'a'.repeat(42), 'a'.repeat(129), `has space${'a'.repeat(40)}`, 'ü'.repeat(43), 'a+b/c='],
  badMethods: ['plain', 's256', 'S512', ''],
};

/** A code for the shop, made with the challenge of the RFC. */
async function getCode(gateway: Harness, browser = createBrowser()): Promise<string> {
  const attempt = await gateway.begin(await gateway.configure());
  attempt.url.searchParams.set('code_challenge', pkce.challenge);
  const { url } = await gateway.authorize(browser, attempt);
  return url.searchParams.get('code') ?? '';
}

const redeem = (gateway: Harness, code: string, more: Record<string, string> = {}, headers = {}) =>
  gateway.post(
    '/token',
    {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      code_verifier: pkce.verifier,
      ...more,
    },
    headers,
  );

const isActive = async (gateway: Harness, token: string): Promise<unknown> =>
  (await gateway.post('/introspect', { token })).body.active;

t.test('PKCE: required, S256 only, a wrong verifier uses up the code', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const configuration = await gateway.configure();
    t.equal((await redeem(gateway, await getCode(gateway))).status, 200, 'the vector of the RFC');

    const browser = createBrowser();
    for (const verifier of [...pkce.badVerifiers, 'x'.repeat(43)]) {
      const code = await getCode(gateway, browser);
      const refused = await redeem(gateway, code, { code_verifier: verifier });
      t.match(refused, { status: 400, body: { error: /^invalid_(grant|request)$/ } }, verifier);
      t.match((await redeem(gateway, code)).body, { error: 'invalid_grant' }, 'and the code is used up');
    }
    for (const method of pkce.badMethods) {
      const { url } = await gateway.begin(configuration, { code_challenge_method: method });
      const back = await browser.open(url, gateway.isCallback);
      t.equal(back.url.searchParams.get('error'), 'invalid_request', `method “${method}”`);
    }
    const { url } = await gateway.begin(configuration);
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const bare = await browser.open(url, gateway.isCallback);
    t.equal(bare.url.searchParams.get('error'), 'invalid_request', 'without a challenge');

    gateway.apps.set('shop', { ...shop, pkce: 'optional' });
    const allowed = await browser.open(url, gateway.isCallback);
    t.ok(allowed.url.searchParams.get('code'), 'the app may do without, where its document says so');
  });
});

t.test('how an app proves who it is', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    const wrong = await redeem(
      gateway,
      await getCode(gateway, browser),
      {},
      { authorization: basic('shop', 'wrong') },
    );
    t.match(wrong, { status: 401, body: { error: 'invalid_client' } });
    t.match(wrong.headers.get('www-authenticate'), /^Basic /);
    const hash = await redeem(
      gateway,
      await getCode(gateway, browser),
      {},
      { authorization: basic('shop', secretHash(secret)) },
    );
    t.equal(hash.status, 401, 'the stored hash is no secret');
    const inBody = { client_id: 'shop', client_secret: secret };
    const post = await redeem(gateway, await getCode(gateway, browser), inBody, { authorization: '' });
    t.equal(post.status, 200, 'by header or in the body: libraries differ, the secret is the same');

    gateway.apps.set('shop', { ...shop, tokenEndpointAuthMethod: 'client_secret_post' });
    const asRegistered = await redeem(gateway, await getCode(gateway, browser), inBody, {
      authorization: '',
    });
    t.equal(asRegistered.status, 200);

    gateway.apps.set('shop', { ...shop, secretHashes: [secretHash('new one'), secretHash(secret)] });
    for (const live of ['new one', secret]) {
      const code = await getCode(gateway, browser);
      const answer = await redeem(gateway, code, {}, { authorization: basic('shop', live) });
      t.equal(answer.status, 200, 'two live secrets, at once after the change');
    }
    gateway.apps.set('shop', { ...shop, secretHashes: [] });
    t.equal(
      (await redeem(gateway, 'x', {}, { authorization: basic('shop', '-') })).status,
      401,
      'no live secret',
    );

    gateway.apps.set('shop', {
      ...shop,
      public: true,
      secretHashes: [],
      tokenEndpointAuthMethod: 'none',
      pkce: 'optional',
    });
    const mobile = await gateway.configure('shop', client.None());
    const attempt = await gateway.begin(mobile);
    const { url } = await gateway.authorize(browser, attempt);
    t.ok((await gateway.exchange(mobile, attempt, url)).id_token, 'a public app');
    attempt.url.searchParams.delete('code_challenge');
    attempt.url.searchParams.delete('code_challenge_method');
    const bare = await browser.open(attempt.url, gateway.isCallback);
    t.equal(bare.url.searchParams.get('error'), 'invalid_request', 'PKCE is required of public apps anyhow');

    gateway.apps.set('shop', { ...shop, enabled: false });
    t.equal((await redeem(gateway, 'x')).status, 401, 'switched off');
  });
});

t.test('a code works once, and its second use ends what came of the first', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const code = await getCode(gateway);
    const first = await redeem(gateway, code);
    t.equal(await isActive(gateway, first.body.access_token), true);
    t.match(await redeem(gateway, code), { status: 400, body: { error: 'invalid_grant' } });
    t.equal(await isActive(gateway, first.body.access_token), false);

    gateway.apps.set('other', { ...shop, id: 'other' });
    const stolen = await getCode(gateway);
    const other = await redeem(gateway, stolen, {}, { authorization: basic('other', secret) });
    t.match(other, { status: 400, body: { error: 'invalid_grant' } }, 'another app’s code');
    t.equal((await redeem(gateway, stolen)).status, 200, 'which another app cannot use up');
    const moved = await redeem(gateway, await getCode(gateway), { redirect_uri: `${callback}/x` });
    t.match(moved, { status: 400, body: { error: 'invalid_grant' } }, 'another address');
  });
});

t.test('refreshing', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { configuration, tokens } = await gateway.signIn(offline);
    const first = tokens.refresh_token ?? '';
    t.ok(first, 'an app of the operator’s own gets it by asking for offline_access');
    const second = await client.refreshTokenGrant(configuration, first);
    t.ok(second.refresh_token && second.refresh_token !== first, 'rotates always');
    t.match(second.claims(), { sub: alice.id, amr: ['pwd', 'sms', 'mfa'] });
    t.equal(await isActive(gateway, second.access_token), true);

    const reused = await gateway.post('/token', { grant_type: 'refresh_token', refresh_token: first });
    t.match(reused, { status: 400, body: { error: 'invalid_grant' } });
    t.equal(await isActive(gateway, second.access_token), false, 'the family has ended');
    const after = { grant_type: 'refresh_token', refresh_token: second.refresh_token ?? '' };
    t.match(await gateway.post('/token', after), { status: 400, body: { error: 'invalid_grant' } });

    const again = await gateway.signIn(offline);
    gateway.users.set(alice.id, { ...alice, disabled: true });
    const refused = await gateway.post('/token', {
      grant_type: 'refresh_token',
      refresh_token: again.tokens.refresh_token ?? '',
    });
    t.match(refused, { status: 400, body: { error: 'invalid_grant' } }, 'a disabled person');
    t.equal(await isActive(gateway, again.tokens.access_token), false);
    const info = await fetch(new URL('/userinfo', gateway.issuer), {
      headers: { authorization: `Bearer ${again.tokens.access_token}` },
    });
    t.equal(info.status, 401);

    gateway.users.set(alice.id, alice);
    gateway.apps.set('shop', { ...shop, grantTypes: ['authorization_code'] });
    const without = await gateway.signIn(offline);
    t.notOk(without.tokens.refresh_token, 'an app that may not refresh');
  });
});

t.test('introspection and revocation: own tokens only', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('other', { ...shop, id: 'other' });
    const { configuration, tokens } = await gateway.signIn(offline);
    const access = tokens.access_token;
    const seen = await client.tokenIntrospection(configuration, access);
    t.match(seen, { active: true, sub: alice.id, client_id: 'shop', scope: /profile/ });
    const refresh = await client.tokenIntrospection(configuration, tokens.refresh_token ?? '');
    t.match(refresh, { active: true });
    const other = { authorization: basic('other', secret) };
    t.strictSame((await gateway.post('/introspect', { token: access }, other)).body, { active: false });
    t.strictSame((await gateway.post('/introspect', { token: 'nonsense' })).body, { active: false });
    t.equal((await gateway.post('/introspect', { token: access }, { authorization: '' })).status, 400);

    t.equal((await gateway.post('/revoke', { token: access }, other)).status, 400);
    t.equal(await isActive(gateway, access), true, 'not ended by another app');
    await client.tokenRevocation(configuration, tokens.refresh_token ?? '');
    t.equal(await isActive(gateway, tokens.refresh_token ?? ''), false);
    t.equal(await isActive(gateway, access), false, 'the family goes along');
    t.equal(
      (await gateway.post('/revoke', { token: 'nonsense' })).status,
      200,
      'RFC 7009: nothing to do is fine',
    );
  });
});

t.test('an app that asks for RS256 gets it', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, idTokenSignedResponseAlg: 'RS256' });
    const configuration = await gateway.configure();
    const attempt = await gateway.begin(configuration);
    const { url } = await gateway.authorize(createBrowser(), attempt);
    const answer = await redeem(gateway, url.searchParams.get('code') ?? '', {
      code_verifier: attempt.verifier,
    });
    const [header = ''] = answer.body.id_token.split('.');
    t.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'RS256');
  });
});

t.test('the database out of reach: 503, and nothing is used up', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    const code = await getCode(gateway, browser);
    const { get } = gateway.users;
    gateway.users.get = () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    const answer = await redeem(gateway, code);
    t.match(answer, { status: 503, body: { error: 'temporarily_unavailable' } });
    t.ok(answer.headers.get('retry-after'));
    const { url } = await gateway.begin(await gateway.configure());
    const page = await browser.open(url, gateway.isCallback);
    t.match(page, { status: 503, html: /Back in a moment/ });
    t.notMatch(page.html, /ECONNREFUSED/);
    gateway.users.get = get;
    t.equal((await redeem(gateway, code)).status, 200);
  });
});
