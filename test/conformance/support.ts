/** A relying party that says what it wants byte by byte, as the foundation's suite does: no library stands between. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createRemoteJWKSet, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { type Browser, type BrowserPage, createBrowser } from '../../src/demo/index.ts';
import { alice, postgresUrl, standard, startGateway, type TestGateway } from '../helpers/gateway.ts';

export { alice } from '../helpers/gateway.ts';

export const client = {
  id: 'suite',
  secret: 'the-secret-of-the-suite-0123456789',
  redirectUri: 'http://localhost:4501/callback',
  home: 'http://localhost:4501/signed-out',
};

const random = () => randomBytes(32).toString('base64url');

const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A request object (OpenID Connect Core, section 6.1) of the app `suite-signing`. */
export const signedRequest = (claims: Params, audience: string): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'suite', typ: 'oauth-authz-req+jwt' })
    .setIssuer('suite-signing')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1 minute')
    .setJti(random())
    .sign(signingKey.privateKey);

export type ResponseMode = 'query' | 'form_post';
export type Params = Record<string, string | undefined>;

/** What came back at the redirect URI, and how. */
export interface Answer {
  params: URLSearchParams;
  /** Whether a person had to type something. */
  asked: boolean;
  browser: Browser;
  verifier: string;
  nonce: string | undefined;
  state: string | undefined;
}

export interface Tokens {
  access_token: string;
  token_type: string;
  id_token: string;
  refresh_token?: string;
  expires_in: number;
}

export interface Reply {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

const apps = (more: object) => {
  const app = {
    name: 'Suite',
    secret: client.secret,
    redirectUris: [client.redirectUri],
    postLogoutRedirectUris: [client.home],
    scopes: ['openid', 'profile', 'email', 'phone', 'groups', 'offline_access'],
    firstParty: true,
    flow: 'password',
    ...more,
  };
  return [
    { ...app, id: client.id },
    { ...app, id: 'suite-second', redirectUris: ['http://localhost:4501/second'] },
    { ...app, id: 'suite-post', tokenEndpointAuthMethod: 'client_secret_post' },
    { ...app, id: 'suite-rs256', idTokenSignedResponseAlg: 'RS256' },
    { ...app, id: 'suite-no-pkce', pkce: 'optional' },
    {
      ...app,
      id: 'suite-signing',
      jwks: { keys: [{ ...signingKey.publicKey.export({ format: 'jwk' }), kid: 'suite', use: 'sig' }] },
    },
  ];
};

/** A gateway on PostgreSQL whose only step is a password: the modules look at the protocol, not at the way in. */
export function openSuite(t: Test, more: object = {}): Promise<TestGateway> {
  const files = standard('http://127.0.0.1:9/unused');
  return postgresUrl(t).then((databaseUrl) =>
    startGateway(t, {
      databaseUrl,
      files: {
        apps: apps(more),
        flows: [{ id: 'password', name: 'Password', steps: [{ id: 'first', options: ['password'] }] }],
        users: files.users.map((user) => ({ ...user, groups: ['staff'] })),
      },
    }),
  );
}

export type Party = ReturnType<typeof createParty>;

export function createParty(gateway: TestGateway, mode: ResponseMode) {
  const { issuer } = gateway;
  const jwks = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const isCallback = (url: URL) => url.origin === 'http://localhost:4501';

  /** Every parameter of an authorization request; undefined leaves one out. */
  function request(params: Params = {}) {
    const verifier = random();
    const all: Params = {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      response_type: 'code',
      scope: 'openid',
      state: random(),
      nonce: random(),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(mode === 'form_post' && { response_mode: mode }),
      ...params,
    };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(all)) if (value !== undefined) query.set(name, value);
    return { url: new URL(`${issuer}/authorize?${query}`), all, verifier };
  }

  const open = (params: Params = {}, browser = createBrowser()): Promise<BrowserPage> =>
    browser.open(request(params).url, isCallback);

  const passwordPage = (page: BrowserPage) => page.html.includes('name="password"');

  /** The parameters with which the browser arrives at the application, or an error that says where it stopped. */
  function received(page: BrowserPage): URLSearchParams {
    if (mode === 'query' && isCallback(page.url)) return page.url.searchParams;
    const action = /<form method="post" action="([^"]*)"/.exec(page.html)?.[1];
    if (mode === 'query' || action === undefined || !isCallback(new URL(action))) {
      throw new Error(`not at the application: ${page.status} ${page.url.pathname} ${page.html}`);
    }
    const values = page.html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g);
    return new URLSearchParams(
      [...values].map(([, name = '', value = '']): [string, string] => [name, unescaped(value)]),
    );
  }

  /** Goes from the authorization request to the application, typing the password where it is asked for. */
  async function authorize(
    params: Params = {},
    browser = createBrowser(),
    method: 'GET' | 'POST' = 'GET',
  ): Promise<Answer> {
    const { url, all, verifier } = request(params);
    let page =
      method === 'GET'
        ? await browser.open(url, isCallback)
        : await browser.submit(formFor(url), Object.fromEntries(url.searchParams), isCallback);
    const asked = passwordPage(page);
    if (asked) {
      const { username, password } = alice;
      page = await browser.submit(page, { username, password }, isCallback);
    }
    return { params: received(page), asked, browser, verifier, nonce: all.nonce, state: all.state };
  }

  async function post(path: string, form: Params, headers: Record<string, string> = {}): Promise<Reply> {
    const sent = Object.entries(form).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const response = await fetch(`${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams(sent),
      headers,
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? {} : JSON.parse(text),
    };
  }

  const token = (form: Params, id = client.id) => post('/token', form, { authorization: basic(id) });

  const redeem = (answer: Answer, { id = client.id, redirectUri = client.redirectUri } = {}) =>
    token(
      {
        grant_type: 'authorization_code',
        code: answer.params.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: answer.verifier,
      },
      id,
    );

  async function userinfo(accessToken: string): Promise<Reply> {
    const response = await fetch(`${issuer}/userinfo`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    return {
      status: response.status,
      headers: response.headers,
      body: response.ok ? ((await response.json()) as Record<string, unknown>) : {},
    };
  }

  /** Verifies the signature with the published keys, and issuer, audience and times (Core, section 3.1.3.7). */
  async function verify(idToken: string, audience = client.id) {
    return jwtVerify(idToken, jwks, { issuer, audience, requiredClaims: ['sub', 'exp', 'iat'] });
  }

  /** A whole login: answer, tokens, and the claims of the verified ID token. */
  async function signIn(params: Params = {}, browser = createBrowser()) {
    const answer = await authorize(params, browser);
    const { client_id: id = client.id, redirect_uri: redirectUri = client.redirectUri } = params;
    const reply = await redeem(answer, { id, redirectUri });
    if (reply.status !== 200) throw new Error(`no tokens: ${reply.status} ${JSON.stringify(reply.body)}`);
    const tokens = reply.body as unknown as Tokens;
    const { payload, protectedHeader } = await verify(tokens.id_token, id);
    return { ...answer, reply, tokens, claims: payload as JWTPayload, header: protectedHeader };
  }

  async function discovery(): Promise<Record<string, unknown>> {
    const response = await fetch(`${issuer}/.well-known/openid-configuration`);
    return (await response.json()) as Record<string, unknown>;
  }

  return {
    issuer,
    mode,
    isCallback,
    request,
    open,
    passwordPage,
    received,
    authorize,
    post,
    token,
    redeem,
    userinfo,
    verify,
    signIn,
    discovery,
  };
}

const unescaped = (value: string): string =>
  value
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** A page of the application that posts to the authorization endpoint. */
const formFor = (url: URL): BrowserPage => ({
  url: new URL(client.redirectUri),
  status: 200,
  html: `<form method="post" action="${url.origin}${url.pathname}"></form>`,
});

export const basic = (id: string): string =>
  `Basic ${Buffer.from(`${id}:${client.secret}`).toString('base64')}`;

/** The basic plan's modules run with the default response mode, and again as the form post plan. */
export async function inBothResponseModes(work: (t: Test, party: Party) => Promise<void>): Promise<void> {
  await t.test('on one gateway', async (t) => {
    const gateway = await openSuite(t);
    for (const mode of ['query', 'form_post'] as const) {
      await t.test(`response_mode=${mode}`, (t) => work(t, createParty(gateway, mode)));
    }
  });
}
