import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, openOidc } from './harness.ts';

t.test('a login ends with tokens that say what really happened', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { configuration, tokens, asked } = await gateway.signIn({
      scope: 'openid profile email phone groups',
    });
    t.ok(asked);
    t.notOk(tokens.refresh_token, 'offline_access was not asked for');
    const claims = tokens.claims();
    t.match(claims, { sub: alice.id, amr: ['pwd', 'sms', 'mfa'], acr: 'urn:sallyport:acr:2' });
    t.ok(Math.abs(Number(claims?.auth_time) - Date.now() / 1000) < 5);
    const jwks = (await (await fetch(new URL('/jwks', gateway.issuer))).json()) as JSONWebKeySet;
    t.equal(decodeProtectedHeader(tokens.id_token ?? '').alg, 'ES256');
    await jwtVerify(tokens.id_token ?? '', createLocalJWKSet(jwks), {
      issuer: gateway.issuer.origin,
      audience: 'shop',
    });
    t.notOk(JSON.stringify(jwks).includes('"d"'), 'no private key is published');
    const info = await client.fetchUserInfo(configuration, tokens.access_token, alice.id);
    t.strictSame(
      { ...info },
      {
        sub: alice.id,
        name: 'Alice Example',
        preferred_username: 'alice',
        email: 'alice@example.test',
        email_verified: true,
        phone_number: '+447700900123',
        phone_number_verified: false,
        groups: ['staff'],
      },
    );
    t.strictSame(
      gateway.log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});

t.test('discovery', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const url = new URL('/.well-known/openid-configuration', gateway.issuer);
    const document = (await (
      await fetch(url, { headers: { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' } })
    ).json()) as Record<string, unknown>;
    const at = (path: string) => `${gateway.issuer.origin}${path}`;
    t.match(document, {
      issuer: gateway.issuer.origin,
      authorization_endpoint: at('/authorize'),
      token_endpoint: at('/token'),
      jwks_uri: at('/jwks'),
      userinfo_endpoint: at('/userinfo'),
      revocation_endpoint: at('/revoke'),
      introspection_endpoint: at('/introspect'),
      end_session_endpoint: at('/session/end'),
    });
    t.strictSame(document.code_challenge_methods_supported, ['S256']);
    t.strictSame(document.response_types_supported, ['code']);
    t.strictSame((document.id_token_signing_alg_values_supported as string[]).toSorted(), ['ES256', 'RS256']);
    t.strictSame(document.token_endpoint_auth_methods_supported, [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'none',
    ]);
  });
});
