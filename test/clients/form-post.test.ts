import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import * as client from 'openid-client';
import t from 'tap';
import { closeBrowser, withPage } from '../helpers/browser.ts';
import { alice } from '../helpers/gateway.ts';
import { openWorld } from './support.ts';

t.teardown(closeBrowser);

/** What a library gets to see of the POST that the browser brings. */
const requestOf = async (request: IncomingMessage, origin: string): Promise<Request> =>
  new Request(new URL(request.url ?? '', origin), {
    method: 'POST',
    headers: { 'content-type': request.headers['content-type'] ?? '' },
    body: await text(request),
  });

await t.test('openid-client with response_mode=form_post, in a browser', async (t) => {
  const { gateway, origin, serve, id, secret } = await openWorld(t);
  const configuration = await client.discovery(new URL(gateway.issuer), id, secret, undefined, {
    execute: [client.allowInsecureRequests],
  });
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: `${origin}/callback`,
    scope: 'openid',
    response_mode: 'form_post',
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  });
  serve(async (request, response) => {
    response.setHeader('Content-Type', 'text/html');
    if (request.method !== 'POST') {
      response.end('<!doctype html><title>App</title>');
      return;
    }
    const callback = await requestOf(request, origin);
    const tokens = await client.authorizationCodeGrant(configuration, callback, checks);
    response.end(`<!doctype html><title>App</title><p>Welcome ${tokens.claims()?.sub}`);
  });

  for (const javaScript of [true, false]) {
    await t.test(javaScript ? 'with scripts' : 'without', (t) =>
      withPage(t, { javaScript }, async (page) => {
        await page.goto(url.href);
        await page.getByLabel('User name').fill(alice.username);
        await page.getByLabel('Password', { exact: true }).fill(alice.password);
        await page.getByLabel('Password', { exact: true }).press('Enter');
        if (!javaScript) await page.getByRole('button').click();
        await page.getByText(/^Welcome usr_/).waitFor();
        t.equal(page.url(), `${origin}/callback`, 'no code stays in the address');
      }),
    );
  }
});
