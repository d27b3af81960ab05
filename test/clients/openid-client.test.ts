import * as client from 'openid-client';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { oauthError } from '../helpers/relying-party.ts';
import { openWorld, typePassword } from './support.ts';

await t.test('openid-client: login, profile, refresh, introspection, revocation, sign-out', async (t) => {
  const { gateway, origin, id, secret } = await openWorld(t);
  const configuration = await client.discovery(new URL(gateway.issuer), id, secret, undefined, {
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: `${origin}/callback`,
    scope: 'openid profile email offline_access',
    prompt: 'consent',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  });
  const browser = createBrowser();
  const atApp = (at: URL) => at.origin === origin;
  const back = await typePassword(browser, await browser.open(url), atApp);

  const tokens = await client.authorizationCodeGrant(configuration, back.url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  });
  const subject = tokens.claims()?.sub ?? '';
  const profile = await client.fetchUserInfo(configuration, tokens.access_token, subject);
  t.match(profile, { name: 'Alice', email: 'alice@example.test' });

  const fresh = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '');
  t.equal(fresh.claims()?.sub, subject);
  t.equal((await client.tokenIntrospection(configuration, fresh.access_token)).active, true);
  await client.tokenRevocation(configuration, fresh.refresh_token ?? '');
  t.equal(
    await oauthError(client.refreshTokenGrant(configuration, fresh.refresh_token ?? '')),
    'invalid_grant',
  );

  const end = client.buildEndSessionUrl(configuration, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: origin,
  });
  const question = await browser.open(end, atApp);
  const done = await browser.submit(question, { logout: 'yes' }, atApp);
  t.equal(done.url.origin, origin);
});
