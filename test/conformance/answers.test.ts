import { alice, client, inBothResponseModes } from './support.ts';

/* Basic plan: what comes back, and who may ask for it. */

await inBothResponseModes(async (t, party) => {
  await t.test('oidcc-server', async (t) => {
    const { params, state, nonce, reply, tokens, claims } = await party.signIn();
    t.equal(params.get('state'), state);
    t.equal(params.get('iss'), party.issuer, 'the answer names its issuer (RFC 9207)');
    t.equal(tokens.token_type.toLowerCase(), 'bearer');
    t.ok(tokens.expires_in > 0);
    t.match(reply.headers.get('cache-control'), /no-store/);
    t.match(reply.headers.get('content-type'), /^application\/json/);
    t.equal(claims.nonce, nonce);
    t.ok(String(claims.sub).length > 0 && String(claims.sub).length <= 255);
    t.ok(Number(claims.exp) > Number(claims.iat));
    t.notOk('name' in claims, 'claims of the person come from userinfo, not in the ID token');
    t.equal((await party.userinfo(tokens.access_token)).body.sub, claims.sub);
    const code = params.get('code') ?? '';
    t.ok(code.length >= 22, 'at least 128 bits cannot be guessed');
  });

  await t.test('oidcc-idtoken-signature', async (t) => {
    const es256 = await party.signIn();
    t.equal(es256.header.alg, 'ES256');
    t.ok(es256.header.kid);
    const rs256 = await party.signIn({ client_id: 'suite-rs256' });
    t.equal(rs256.header.alg, 'RS256', 'for an app that asks for it');
    t.ok(rs256.header.kid);
  });

  await t.test('oidcc-idtoken-unsigned', async (t) => {
    const document = await party.discovery();
    const algorithms = document.id_token_signing_alg_values_supported as string[];
    t.notOk(algorithms.includes('none'), 'no app can have an ID token without a signature');
    const { tokens } = await party.signIn();
    const [, payload = ''] = tokens.id_token.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const hinted = await party.open({ prompt: 'none', id_token_hint: `${header}.${payload}.` });
    t.equal(party.received(hinted).get('error'), 'invalid_request', 'nor is one taken as a hint');
  });

  await t.test('oidcc-userinfo-get', async (t) => {
    const { tokens, claims } = await party.signIn();
    const reply = await party.userinfo(tokens.access_token);
    t.equal(reply.status, 200);
    t.match(reply.headers.get('content-type'), /^application\/json/);
    t.equal(reply.body.sub, claims.sub);
    const refused = await party.userinfo('not-a-token');
    t.equal(refused.status, 401);
    t.match(refused.headers.get('www-authenticate'), /^Bearer .*error="invalid_token"/);
  });

  await t.test('oidcc-userinfo-post-header', async (t) => {
    const { tokens, claims } = await party.signIn();
    const reply = await party.post('/userinfo', {}, { authorization: `Bearer ${tokens.access_token}` });
    t.equal(reply.status, 200);
    t.equal(reply.body.sub, claims.sub);
  });

  await t.test('oidcc-userinfo-post-body', async (t) => {
    const { tokens, claims } = await party.signIn();
    const reply = await party.post('/userinfo', { access_token: tokens.access_token });
    t.equal(reply.status, 200);
    t.equal(reply.body.sub, claims.sub);
  });

  const profile = { name: 'Alice', preferred_username: alice.username };
  const email = { email: 'alice@example.test', email_verified: true };
  const phone = { phone_number: alice.phone, phone_number_verified: true };
  const bodyFor = async (scope: string) => {
    const { tokens, claims } = await party.signIn({ scope });
    const { sub, ...rest } = (await party.userinfo(tokens.access_token)).body;
    t.equal(sub, claims.sub);
    const { acr: _acr, amr: _amr, auth_time: _time, ...person } = rest;
    return person;
  };

  await t.test('oidcc-scope-profile', async (t) => {
    t.same(await bodyFor('openid profile'), profile);
  });

  await t.test('oidcc-scope-email', async (t) => {
    t.same(await bodyFor('openid email'), email);
  });

  await t.test('oidcc-scope-address', async (t) => {
    t.same(await bodyFor('openid address'), {}, 'no address is known, and the scope does not hinder');
  });

  await t.test('oidcc-scope-phone', async (t) => {
    t.same(await bodyFor('openid phone'), phone);
  });

  await t.test('oidcc-scope-all', async (t) => {
    t.same(await bodyFor('openid profile email address phone'), { ...profile, ...email, ...phone });
  });

  await t.test('oidcc-claims-essential', async (t) => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    const document = await party.discovery();
    t.equal(document.claims_parameter_supported, true);
    const { tokens } = await party.signIn({ claims });
    const { body } = await party.userinfo(tokens.access_token);
    t.equal(body.name, 'Alice');
    t.notOk('email' in body, 'and nothing that was not asked for');
  });

  await t.test('oidcc-alternate-happy-flow', async (t) => {
    const redirectUri = 'http://localhost:4501/second';
    const second = { client_id: 'suite-second', redirect_uri: redirectUri };
    const { reply, claims } = await party.signIn({ ...second, scope: 'email openid', state: undefined });
    t.equal(claims.aud, 'suite-second');
    // RFC 6749, section 3.3: what was granted is said, in whatever order it was asked for.
    t.same(String(reply.body.scope).split(' ').sort(), ['email', 'openid']);
    const stateless = await party.authorize({ ...second, state: undefined });
    t.notOk(stateless.params.has('state'), 'no state was sent, none comes back');
  });

  await t.test('oidcc-server-client-secret-post', async (t) => {
    const answer = await party.authorize({ client_id: 'suite-post' });
    const form = {
      grant_type: 'authorization_code',
      code: answer.params.get('code') ?? '',
      redirect_uri: client.redirectUri,
      code_verifier: answer.verifier,
      client_id: 'suite-post',
    };
    const wrong = await party.post('/token', { ...form, client_secret: 'another-secret-0123456789' });
    t.equal(wrong.status, 401);
    t.equal(wrong.body.error, 'invalid_client');
    const reply = await party.post('/token', { ...form, client_secret: client.secret });
    t.equal(reply.status, 200);
    await party.verify(String(reply.body.id_token), 'suite-post');
  });

  await t.test('oidcc-refresh-token', async (t) => {
    const { tokens, claims } = await party.signIn({ scope: 'openid offline_access', prompt: 'consent' });
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
    t.equal((await party.token(form, 'suite-second')).body.error, 'invalid_grant', 'bound to its client');
    const reply = await party.token(form);
    t.equal(reply.status, 200);
    t.match(reply.headers.get('cache-control'), /no-store/);
    t.equal((await party.userinfo(String(reply.body.access_token))).status, 200);
    const { payload } = await party.verify(String(reply.body.id_token));
    // Core, section 12.2.
    t.equal(payload.sub, claims.sub);
    t.equal(payload.iss, claims.iss);
    t.same(payload.aud, claims.aud);
    t.equal(payload.auth_time, claims.auth_time);
    const again = await party.token(form);
    t.equal(again.status, 400);
    t.equal(again.body.error, 'invalid_grant', 'each works once');
  });
});
