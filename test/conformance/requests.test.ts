import { client, inBothResponseModes, signedRequest } from './support.ts';

/* Basic plan: which requests are answered, and which are not. */

const unsigned = (claims: object): string =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;

await inBothResponseModes(async (t, party) => {
  await t.test('oidcc-response-type-missing', async (t) => {
    const page = await party.open({ response_type: undefined });
    const params = party.received(page);
    t.equal(params.get('error'), 'invalid_request');
    t.notOk(params.has('code'));
  });

  await t.test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async (t) => {
    const { claims } = await party.signIn({ nonce: undefined });
    t.notOk('nonce' in claims);
  });

  await t.test('oidcc-ensure-request-with-unknown-parameter-succeeds', async (t) => {
    const { params, state } = await party.signIn({ extra: 'foobar' });
    t.equal(params.get('state'), state);
  });

  await t.test('oidcc-ensure-registered-redirect-uri', async (t) => {
    const wrong = [
      'http://localhost:4501/other',
      `${client.redirectUri}?added=1`,
      `${client.redirectUri}/`,
      'http://localhost:4501/callback/../callback',
      'http://LOCALHOST:4501/callback',
    ];
    for (const uri of wrong) {
      const page = await party.open({ redirect_uri: uri });
      t.equal(page.status, 400, uri);
      t.equal(page.url.origin, party.issuer, 'nobody is sent there');
      t.match(page.html, /unknown address/);
      t.notOk(party.passwordPage(page));
    }
  });

  await t.test('oidcc-ensure-post-request-succeeds', async (t) => {
    const answer = await party.authorize({}, undefined, 'POST');
    t.ok(answer.asked);
    t.equal((await party.redeem(answer)).status, 200);
  });

  await t.test('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', async (t) => {
    const document = await party.discovery();
    t.equal(document.request_uri_parameter_supported ?? true, false, 'nothing is fetched on a request');
    const page = await party.open({ request_uri: 'http://localhost:4501/request.jwt' });
    t.notOk(party.passwordPage(page));
    t.equal(party.received(page).get('error'), 'request_uri_not_supported');
  });

  await t.test('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async (t) => {
    const document = await party.discovery();
    t.notOk((document.request_object_signing_alg_values_supported as string[]).includes('none'));
    const page = await party.open({ request: unsigned({ nonce: 'from-the-object' }) });
    t.notOk(party.passwordPage(page));
    t.equal(party.received(page).get('error'), 'invalid_request_object');
  });

  await t.test('oidcc-ensure-request-object-with-redirect-uri', async (t) => {
    const never = 'http://localhost:4501/never-registered';
    const page = await party.open({
      request: unsigned({ redirect_uri: client.redirectUri }),
      redirect_uri: never,
    });
    t.equal(page.url.origin, party.issuer, 'without a signature nobody is sent to the unregistered address');
    t.notOk(party.passwordPage(page));

    const id = 'suite-signing';
    const { all, verifier } = party.request({ client_id: id, nonce: 'from-the-object' });
    const request = await signedRequest(all, party.issuer);
    const answer = await party.authorize({ ...all, redirect_uri: never, nonce: 'from-the-query', request });
    const reply = await party.redeem({ ...answer, verifier }, { id });
    t.equal(reply.status, 200, 'with one, what is signed counts');
    const { payload } = await party.verify(String(reply.body.id_token), id);
    t.equal(payload.nonce, 'from-the-object');
  });

  await t.test('oidcc-ensure-request-with-valid-pkce-succeeds', async (t) => {
    const answer = await party.authorize();
    const stolen = {
      ...answer,
      verifier: answer.verifier.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')),
    };
    t.equal((await party.redeem(stolen)).body.error, 'invalid_grant', 'another verifier does not fit');
    t.equal((await party.redeem(await party.authorize())).status, 200);
    const without = { code_challenge: undefined, code_challenge_method: undefined };
    t.equal((await party.authorize(without)).params.get('error'), 'invalid_request', 'PKCE is required');
    const spared = await party.authorize({ ...without, client_id: 'suite-no-pkce' });
    t.ok(spared.params.has('code'), 'unless the app is spared it');
  });
});
