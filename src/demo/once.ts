import * as client from 'openid-client';
import { type Browser, type BrowserPage, createBrowser } from './http-client.ts';
import type { SmsGateway } from './sms-gateway.ts';

export interface OnceOptions {
  issuer: URL;
  /** Address of the running shop. */
  shop: string;
  client: { id: string; secret: string; redirectUri: string };
  user: { username: string; password: string; phone: string; backupCode: string };
  gateway: SmsGateway;
  /** Told of every step that held. */
  step(sentence: string): void;
}

const messageTimeoutMs = 10_000;
const wrongCodeFor = (code: string): string => (code === '000000' ? '000001' : '000000');

function expect(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}

const has = (page: BrowserPage, field: string): boolean => page.html.includes(`name="${field}"`);

/** The next code, from the last line (`@host #code`) as a phone reads it. Notices about the account have none. */
async function nextCode({ gateway, user }: OnceOptions): Promise<string> {
  for (;;) {
    const { text } = await gateway.next(user.phone, messageTimeoutMs);
    const code = /#(\S+)$/.exec(text)?.[1];
    if (code !== undefined) return code;
  }
}

function journey(options: OnceOptions) {
  const { user } = options;
  return {
    /** Up to the page that asks for the code, and the code that was sent. */
    async toCode(browser: Browser, start: string | URL): Promise<{ page: BrowserPage; code: string }> {
      const first = await browser.open(start);
      expect(has(first, 'password'), `No password field at ${first.url.pathname} (status ${first.status})`);
      const second = await browser.submit(first, { username: user.username, password: user.password });
      expect(has(second, 'code'), `The right password did not lead to the code (status ${second.status})`);
      return { page: second, code: await nextCode(options) };
    },
    async toBackupCode(browser: Browser, page: BrowserPage): Promise<BrowserPage> {
      const chosen = await browser.submit(page, { action: 'choose:backup-code' });
      expect(has(chosen, 'code'), `There is no field for a backup code (status ${chosen.status})`);
      return chosen;
    },
  };
}

async function passwordAndCode(options: OnceOptions): Promise<void> {
  const way = journey(options);
  const browser = createBrowser();
  const { page, code } = await way.toCode(browser, `${options.shop}/login`);
  options.step('password accepted; the code reached the local SMS gateway');

  const refused = await browser.submit(page, { code: wrongCodeFor(code) });
  expect(
    has(refused, 'code') && refused.url.origin === options.issuer.origin,
    'A wrong code was not refused',
  );
  options.step('a wrong code is refused');

  const home = await browser.submit(refused, { code });
  expect(
    home.html.includes('You are signed in'),
    `The right code did not lead into the shop (status ${home.status})`,
  );
  expect(
    home.html.includes('[&quot;pwd&quot;,&quot;sms&quot;,&quot;mfa&quot;]'),
    'The ID token does not say pwd, sms, mfa',
  );
  options.step('signed in with password and code; the ID token says pwd, sms, mfa');
}

async function backupCode(options: OnceOptions): Promise<void> {
  const way = journey(options);
  const browser = createBrowser();
  const page = await way.toBackupCode(browser, (await way.toCode(browser, `${options.shop}/login`)).page);
  const home = await browser.submit(page, { code: options.user.backupCode });
  expect(
    home.html.includes('You are signed in'),
    `The backup code did not lead into the shop (status ${home.status})`,
  );
  options.step('signed in with password and backup code');

  const other = createBrowser();
  const again = await way.toBackupCode(other, (await way.toCode(other, `${options.shop}/login`)).page);
  const refused = await other.submit(again, { code: options.user.backupCode });
  expect(
    has(refused, 'code') && refused.url.origin === options.issuer.origin,
    'A used backup code was accepted',
  );
  options.step('a used backup code is refused');
}

/** Signs in once more with a client of its own, so that the authorization code can be sent twice. */
async function replay(options: OnceOptions): Promise<void> {
  const { issuer, client: registered } = options;
  const configuration = await client.discovery(
    issuer,
    registered.id,
    undefined,
    client.ClientSecretBasic(registered.secret),
    { execute: [client.allowInsecureRequests] },
  );
  const verifier = client.randomPKCECodeVerifier();
  const start = client.buildAuthorizationUrl(configuration, {
    redirect_uri: registered.redirectUri,
    scope: 'openid',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const way = journey(options);
  const browser = createBrowser();
  const { page, code } = await way.toCode(browser, start);
  const back = await browser.submit(page, { code }, (url) => url.href.startsWith(registered.redirectUri));
  const exchange = () =>
    client.authorizationCodeGrant(configuration, back.url, {
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
  await exchange();
  const second = await exchange().then(
    () => 'accepted',
    (error: unknown) => (error instanceof client.ResponseBodyError ? error.error : String(error)),
  );
  expect(second === 'invalid_grant', `A replayed authorization code was answered with: ${second}`);
  options.step('a replayed authorization code is refused');
}

/** Walks through everything that the demonstration promises; throws with a sentence at the first thing that fails. */
export async function walkThrough(options: OnceOptions): Promise<void> {
  await passwordAndCode(options);
  await backupCode(options);
  await replay(options);
}
