import { importJWK, type JWK } from 'jose';
import t from 'tap';
import { createParty, openSuite } from './support.ts';

/* Config plan: the document that clients configure themselves by. */

const originOf = (url: unknown): string | undefined => URL.parse(String(url))?.origin;

await t.test('config plan', async (t) => {
  const party = createParty(await openSuite(t), 'query');

  await t.test('oidcc-discovery-endpoint-verification', async (t) => {
    const response = await fetch(`${party.issuer}/.well-known/openid-configuration`);
    t.equal(response.status, 200);
    t.match(response.headers.get('content-type'), /^application\/json/);
    const document = (await response.json()) as Record<string, unknown>;
    t.equal(document.issuer, party.issuer, 'identical, to the last character');
    const endpoints = ['authorization', 'token', 'userinfo', 'revocation', 'introspection', 'end_session'];
    for (const name of endpoints) t.equal(originOf(document[`${name}_endpoint`]), party.issuer, name);
    t.same(document.response_types_supported, ['code']);
    t.same(document.subject_types_supported?.constructor, Array);
    t.ok((document.subject_types_supported as string[]).includes('public'));
    const algorithms = document.id_token_signing_alg_values_supported as string[];
    t.ok(algorithms.includes('RS256'), 'which every provider has to know');
    t.ok(algorithms.includes('ES256'));
    t.notOk(algorithms.some((name) => name === 'none' || name.startsWith('HS')));
    for (const mode of ['query', 'form_post']) {
      t.ok((document.response_modes_supported as string[]).includes(mode), mode);
    }
    t.ok((document.grant_types_supported as string[]).includes('authorization_code'));
    const methods = document.token_endpoint_auth_methods_supported as string[];
    for (const method of ['client_secret_basic', 'client_secret_post'])
      t.ok(methods.includes(method), method);
    for (const scope of ['openid', 'profile', 'email', 'phone', 'offline_access']) {
      t.ok((document.scopes_supported as string[]).includes(scope), scope);
    }
    for (const claim of ['sub', 'iss', 'auth_time', 'acr', 'amr', 'name', 'email', 'phone_number']) {
      t.ok((document.claims_supported as string[]).includes(claim), claim);
    }
    t.same(document.code_challenge_methods_supported, ['S256']);
    t.equal(document.claims_parameter_supported, true);
    t.equal(document.authorization_response_iss_parameter_supported, true);
    t.notOk('registration_endpoint' in document, 'apps are registered by the operator');

    const jwks = await fetch(String(document.jwks_uri));
    t.equal(jwks.status, 200);
    const { keys } = (await jwks.json()) as { keys: JWK[] };
    t.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length, 'each key has an id of its own');
    for (const key of keys) {
      t.ok(algorithms.includes(String(key.alg)), `${key.alg} is announced`);
      t.equal(key.use, 'sig');
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) t.notOk(secret in key, `no ${secret}`);
      t.ok(await importJWK(key), 'and can be read');
    }
  });
});
