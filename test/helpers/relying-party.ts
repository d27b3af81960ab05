import * as client from 'openid-client';
import { type Browser, type BrowserPage, createBrowser, type SmsGateway } from '../../src/demo/index.ts';
import type { TestGateway } from './gateway.ts';

export interface Attempt {
  url: URL;
  verifier: string;
  state: string;
  nonce: string;
}

/** An application under test: openid-client as its author would use it, nothing special to us in its settings. */
export interface TestApp {
  configuration: client.Configuration;
  redirectUri: string;
  /** Starts an authorization request; `extra` are parameters such as `prompt`. */
  begin(extra?: Record<string, string>): Promise<Attempt>;
  /** True for the address at which the browser leaves the gateway for the application. */
  isCallback(url: URL): boolean;
  exchange(attempt: Attempt, callback: URL): ReturnType<typeof client.authorizationCodeGrant>;
}

export async function createTestApp(
  gateway: TestGateway,
  app: { id: string; secret?: string; redirectUri: string },
): Promise<TestApp> {
  const configuration = await client.discovery(
    new URL(gateway.issuer),
    app.id,
    undefined,
    app.secret === undefined ? client.None() : client.ClientSecretBasic(app.secret),
    { execute: [client.allowInsecureRequests] },
  );
  return {
    configuration,
    redirectUri: app.redirectUri,
    async begin(extra = {}) {
      const verifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const nonce = client.randomNonce();
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: app.redirectUri,
        scope: 'openid profile',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...extra,
      });
      return { url, verifier, state, nonce };
    },
    isCallback: (url) => url.href.startsWith(app.redirectUri),
    exchange: (attempt, callback) =>
      client.authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: attempt.verifier,
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        idTokenExpected: true,
      }),
  };
}

/** The code in the WebOTP line of a message. */
export function codeIn(text: string): string {
  const code = /#(\S+)$/.exec(text)?.[1];
  if (code === undefined) throw new Error(`no code in the last line of: ${text}`);
  return code;
}

/** The code of the next message that has one; notices about the account are passed over. */
export async function nextCode(
  sms: Pick<SmsGateway, 'next'>,
  to: string,
  timeoutMs = 5_000,
): Promise<string> {
  for (;;) {
    const { text } = await sms.next(to, timeoutMs);
    if (/#\S+$/.test(text)) return codeIn(text);
  }
}

export interface Walk {
  browser: Browser;
  attempt: Attempt;
  page: BrowserPage;
}

/** Opens the hosted login of a new attempt. */
export async function openLogin(
  app: TestApp,
  browser = createBrowser(),
  extra: Record<string, string> = {},
): Promise<Walk> {
  const attempt = await app.begin(extra);
  return { browser, attempt, page: await browser.open(attempt.url, app.isCallback) };
}

/** Password passed: the page after it. */
export async function passPassword(
  app: TestApp,
  walk: Walk,
  user: { username: string; password: string },
): Promise<Walk> {
  const page = await walk.browser.submit(walk.page, user, app.isCallback);
  return { ...walk, page };
}

/** The whole way with password and the code that reached the local SMS gateway; answers the tokens. */
export async function signIn(
  gateway: TestGateway,
  app: TestApp,
  user: { username: string; password: string; phone: string },
  extra: Record<string, string> = {},
  browser = createBrowser(),
) {
  const start = await openLogin(app, browser, extra);
  const second = await passPassword(app, start, { username: user.username, password: user.password });
  const code = await nextCode(gateway.sms, user.phone);
  const done = await browser.submit(second.page, { code }, app.isCallback);
  if (!app.isCallback(done.url))
    throw new Error(`not back at the application: ${done.url.pathname} ${done.status} ${done.html}`);
  return {
    browser,
    attempt: start.attempt,
    callback: done.url,
    tokens: await app.exchange(start.attempt, done.url),
  };
}

/** The OAuth error code that a request to the gateway is refused with; `none` when it is not. */
export async function oauthError(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return 'none';
  } catch (error) {
    if (error instanceof client.ResponseBodyError) return error.error;
    throw error;
  }
}
