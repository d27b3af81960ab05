import { createHash } from 'node:crypto';
import { exportJWK } from 'jose';
import * as client from 'openid-client';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, type Harness, openOidc, shop } from './harness.ts';
import { dpop, proofKey } from './proofs.ts';

const offline = { scope: 'openid offline_access' };
const ath = (token: string) => createHash('sha256').update(token).digest('base64url');

t.test('tokens are bound to the key of the app', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set(shop.id, { ...shop, dpopBoundAccessTokens: true });
    const configuration = await gateway.configure();
    const attempt = await gateway.begin(configuration, offline);
    const { url } = await gateway.authorize(createBrowser(), attempt);
    const keyPair = await client.randomDPoPKeyPair('ES256', { extractable: true });
    const handle = client.getDPoPHandle(configuration, keyPair);
    const tokens = await client.authorizationCodeGrant(
      configuration,
      url,
      { pkceCodeVerifier: attempt.verifier, expectedState: attempt.state, expectedNonce: attempt.nonce },
      undefined,
      { DPoP: handle },
    );
    t.equal(tokens.token_type, 'dpop');
    const info = await client.fetchUserInfo(configuration, tokens.access_token, alice.id, { DPoP: handle });
    t.equal(info.sub, alice.id);

    const userinfo = new URL('/userinfo', gateway.issuer);
    const bearer = await fetch(userinfo, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    t.equal(bearer.status, 401, 'without a proof it opens nothing');
    const thief = await proofKey();
    const stolen = await fetch(userinfo, {
      headers: {
        authorization: `DPoP ${tokens.access_token}`,
        dpop: await dpop(thief, 'GET', userinfo.href, { ath: ath(tokens.access_token) }),
      },
    });
    t.equal(stolen.status, 401, "with another key's proof neither");
    const owner = {
      privateKey: keyPair.privateKey,
      jwk: { ...(await exportJWK(keyPair.publicKey)) },
      thumbprint: '',
    };
    const other = await fetch(userinfo, {
      headers: {
        authorization: `DPoP ${tokens.access_token}`,
        dpop: await dpop(owner, 'GET', userinfo.href, { ath: ath('another') }),
      },
    });
    t.equal(other.status, 401, 'nor with a proof for another token');

    const renewed = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '', undefined, {
      DPoP: handle,
    });
    t.equal(renewed.token_type, 'dpop');
    const { body } = await gateway.post('/introspect', { token: renewed.access_token });
    t.match(body, { active: true, token_type: 'DPoP', cnf: { jkt: String } });

    const plain = { grant_type: 'refresh_token', refresh_token: renewed.refresh_token ?? '' };
    t.equal((await gateway.post('/token', plain)).status, 400, 'this app must prove its key');
  });
});

t.test('proofs that do not count', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const key = await proofKey();
    const at = new URL('/token', gateway.issuer).href;
    const now = Math.floor(Date.now() / 1000);
    const send = (proof: string) => refresh(gateway, proof);
    const privateJwk = { ...(await exportJWK(key.privateKey)) };
    const cases: [string, string][] = [
      ['method in lower case', await dpop(key, 'post', at)],
      ['another method', await dpop(key, 'GET', at)],
      ['another address', await dpop(key, 'POST', new URL('/userinfo', gateway.issuer).href)],
      ['another type', await dpop(key, 'POST', at, {}, { typ: 'jwt' })],
      ['a private key within', await dpop(key, 'POST', at, {}, { jwk: privateJwk })],
      ['no id', await dpop(key, 'POST', at, { jti: undefined })],
      ['no time', await dpop(key, 'POST', at, { iat: undefined })],
      ['unsigned', `${Buffer.from('{"alg":"none","typ":"dpop+jwt"}').toString('base64url')}.e30.`],
      ['nonsense', 'nonsense'],
    ];
    for (const [what, proof] of cases) {
      t.match(await send(proof), { status: 400, body: { error: 'invalid_dpop_proof' } }, what);
    }
    for (const iat of [now - 600, now + 600]) {
      const late = await send(await dpop(key, 'POST', at, { iat }));
      t.match(late, { status: 400, body: { error: 'use_dpop_nonce' } }, 'a clock that is off');
      const nonce = late.headers.get('dpop-nonce') ?? '';
      t.equal((await send(await dpop(key, 'POST', at, { iat, nonce }))).status, 200, 'works with the nonce');
    }
    const invented = await send(await dpop(key, 'POST', at, { nonce: 'invented' }));
    t.match(invented, { status: 400, body: { error: 'use_dpop_nonce' } });
    t.equal((await send(await dpop(key, 'POST', `${at}?a=b#c`))).status, 200, 'query and fragment aside');

    const proof = await dpop(key, 'POST', at);
    t.equal((await send(proof)).status, 200);
    t.match(await send(proof), { status: 400, body: { error: 'invalid_grant' } }, 'the same one again');
  });
});

/** Renews a fresh, unbound refresh token with this proof. */
async function refresh(gateway: Harness, proof: string) {
  const { tokens } = await gateway.signIn(offline);
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
  return gateway.post('/token', form, { dpop: proof });
}
