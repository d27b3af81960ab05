import * as oauth from 'oauth4webapi';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { openWorld, typePassword } from './support.ts';

/** The gateway under test speaks HTTP on localhost. */
const insecure = { [oauth.allowInsecureRequests]: true };

await t.test('oauth4webapi: discovery, login, ID token, profile, refresh', async (t) => {
  const { gateway, origin, id, secret } = await openWorld(t);
  const issuer = new URL(gateway.issuer);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const client: oauth.Client = { client_id: id };
  const auth = oauth.ClientSecretBasic(secret);
  const redirectUri = `${origin}/callback`;

  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(server.authorization_endpoint ?? '');
  for (const [name, value] of Object.entries({
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile offline_access',
    prompt: 'consent',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })) {
    url.searchParams.set(name, value);
  }
  const browser = createBrowser();
  const back = await typePassword(browser, await browser.open(url), (at) => at.origin === origin);

  const params = oauth.validateAuthResponse(server, client, back.url, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    auth,
    params,
    redirectUri,
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, response, insecure);
  const subject = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '';

  const profile = await oauth.processUserInfoResponse(
    server,
    client,
    subject,
    await oauth.userInfoRequest(server, client, tokens.access_token, insecure),
  );
  t.equal(profile.preferred_username, 'alice');

  const fresh = await oauth.processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(server, client, auth, tokens.refresh_token ?? '', insecure),
  );
  t.not(fresh.access_token, tokens.access_token);
});
