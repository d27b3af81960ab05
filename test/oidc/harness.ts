import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import * as client from 'openid-client';
import type { Test } from 'tap';
import { laterMembers } from '../../src/apps/document.ts';
import type { App, Apps } from '../../src/apps/types.ts';
import { createAudit } from '../../src/audit/index.ts';
import { createCrypto, createSigningKeys } from '../../src/crypto/index.ts';
import type { SigningKey } from '../../src/crypto/types.ts';
import { type Browser, createBrowser } from '../../src/demo/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createOidc, type Oidc, texts } from '../../src/oidc/index.ts';
import { createSessions } from '../../src/sessions/index.ts';
import { isDatabaseUnavailable } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import type { User, Users } from '../../src/users/types.ts';
import { openTestHttp } from '../helpers/http.ts';
import { recordingLog } from '../helpers/log.ts';
import { freePort } from '../helpers/port.ts';
import { createFakeFlows } from './fake-flows.ts';

export const secret = 'the-secret-of-the-shop-0123456789-abcdefghij';
export const callback = 'http://localhost:4501/callback';
export const secretHash = (value: string): string => createHash('sha256').update(value).digest('hex');

export const shop: App = {
  ...laterMembers,
  id: 'shop',
  name: 'Shop',
  public: false,
  secretHashes: [secretHash(secret)],
  tokenEndpointAuthMethod: 'client_secret_basic',
  redirectUris: [callback],
  postLogoutRedirectUris: ['http://localhost:4501/bye'],
  firstParty: true,
  pkce: 'required',
  grantTypes: ['authorization_code', 'refresh_token'],
  scopes: ['openid', 'profile', 'email', 'phone', 'groups', 'offline_access'],
  idTokenSignedResponseAlg: 'ES256',
  flow: 'password-sms',
  loginUrl: null,
  home: 'http://localhost:4501/',
  logoUrl: null,
  helpContact: null,
  privacyUrl: null,
  termsUrl: null,
  enabled: true,
};

export const alice: User = {
  id: 'usr_alice',
  username: 'alice',
  name: 'Alice Example',
  email: 'alice@example.test',
  emailVerified: true,
  phone: '+447700900123',
  phoneVerified: false,
  secondPhone: null,
  codeOff: false,
  codeOffUntil: null,
  disabled: false,
  recoveredAt: null,
  recoveredBy: null,
  deleteAt: null,
  groups: ['staff'],
  attributes: {},
  createdAt: new Date(0),
  hasPassword: true,
  passwordChangedAt: null,
  backupCodes: 0,
};
export const bob: User = { ...alice, id: 'usr_bob', username: 'bob', name: null, email: null, groups: [] };

export interface Attempt {
  url: URL;
  verifier: string;
  state: string;
  nonce: string;
}

/** How often a gateway under test looks whether an app is to be told of a logout. */
export const lookEveryMs = 100;

/** Made once per file: an RSA key takes its time. */
let keys: Promise<SigningKey[]> | undefined;

export type Harness = Awaited<ReturnType<typeof openOidc>>;

/** A listening gateway with the real provider, sessions and database, and the rest made small. */
export async function openOidc(t: Test, storage: Storage, issuerScheme: 'http' | 'https' = 'http') {
  const port = await freePort();
  const issuer = new URL(`${issuerScheme}://localhost:${port}`);
  const crypto = createCrypto([{ id: 'k1', bytes: randomBytes(32) }]);
  const log = recordingLog();
  const apps = new Map<string, App>([[shop.id, shop]]);
  /** What stands at URLs elsewhere. */
  const documents = new Map<string, string>();
  const users = new Map<string, User>([alice, bob].map((user) => [user.id, user]));
  // Their rows, for statements that join them; what stands there is for the tests to say.
  const rows = [...users.keys()].map((id) => sql`(${id}, ${id}, ${id}, now(), now())`);
  await sql`insert into users (id, username, username_key, created_at, updated_at) values ${sql.join(rows)}
    on conflict do nothing`.execute(storage.db);
  const sessions = createSessions({
    settings: { get: <T>() => ({ idle: '8h', absolute: '30d' }) as T },
    random: randomBytes,
    audit: createAudit(),
    ended: (tx, gone) => oidc.sessionsEnded(tx, gone),
  });
  /** How they answer; 200 when nothing is left here. */
  const answers: (number | Error)[] = [];
  /** Forms that apps were sent. */
  const notices: { url: string; form: URLSearchParams; allowPrivateNetwork: boolean }[] = [];
  const fake = createFakeFlows(storage, sessions);
  const { app, http } = await openTestHttp({
    issuer,
    crypto,
    log,
    texts,
    isUnavailable: isDatabaseUnavailable,
  });
  const oidc: Oidc = await createOidc({
    issuer,
    storage,
    crypto,
    clock: systemClock,
    log,
    http,
    keys: {
      load(db) {
        keys ??= createSigningKeys({ crypto, clock: systemClock }).load(db);
        return keys;
      },
    },
    apps: { find: async (_db: unknown, id: string) => apps.get(id) } as Apps,
    users: {
      findById: async (_db: unknown, id: string) => users.get(id),
      fromJoined: (row) => (row === null ? undefined : users.get(row.id)),
    } as Users,
    sessions,
    flows: fake.flows,
    fetchDocument: async (url) => ({ status: 200, body: documents.get(url.href) ?? '' }),
    async sendForm(url, form, { allowPrivateNetwork }) {
      notices.push({ url: url.href, form, allowPrivateNetwork });
      const answer = answers.shift() ?? 200;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    lookEveryMs,
    sessionLifeMs: () => 30 * 86_400_000,
  });
  await app.register(oidc.plugin);
  app.get<{ Params: { id: string } }>('/login/:id', async (_request, reply) =>
    reply.type('html').send('<form method="post"></form>'),
  );
  app.post<{ Params: { id: string }; Body: { user?: string; methods?: string } }>(
    '/login/:id',
    async (request, reply) => {
      const { user, methods = 'pwd' } = request.body;
      const next =
        user === undefined
          ? fake.cancel(request.params.id)
          : await fake.finish(request.params.id, user, methods.split(' '));
      return reply.redirect(next, 303);
    },
  );
  await app.listen({ port, host: '127.0.0.1' });
  t.teardown(() => app.close());

  const isCallback = (url: URL) => url.origin === 'http://localhost:4501';

  async function configure(
    id = shop.id,
    auth = client.ClientSecretBasic(secret),
  ): Promise<client.Configuration> {
    return client.discovery(issuer, id, undefined, auth, { execute: [client.allowInsecureRequests] });
  }

  async function begin(
    configuration: client.Configuration,
    extra: Record<string, string> = {},
  ): Promise<Attempt> {
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: callback,
      scope: 'openid profile',
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...extra,
    });
    return { url, verifier, state, nonce };
  }

  function exchange(configuration: client.Configuration, attempt: Attempt, url: URL) {
    return client.authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: attempt.verifier,
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      idTokenExpected: true,
    });
  }

  /** Opens an authorization, logs in where asked to, answers the URL at which the app is called back. */
  async function authorize(
    browser: Browser,
    attempt: Attempt,
    login: Record<string, string> = { user: alice.id, methods: 'pwd sms' },
  ): Promise<{ url: URL; asked: boolean; html: string; status: number }> {
    const page = await browser.open(attempt.url, isCallback);
    const asked = page.url.pathname.startsWith('/login/');
    const end = asked ? await browser.submit(page, login, isCallback) : page;
    return { url: end.url, asked, html: end.html, status: end.status };
  }

  async function signIn(
    extra: Record<string, string> = {},
    { browser = createBrowser(), login = { user: alice.id, methods: 'pwd sms' }, app: id = shop.id } = {},
  ) {
    const configuration = await configure(id);
    const attempt = await begin(configuration, extra);
    const { url, asked } = await authorize(browser, attempt, login);
    return {
      configuration,
      attempt,
      url,
      asked,
      browser,
      tokens: await exchange(configuration, attempt, url),
    };
  }

  /** A form post to an endpoint, for what openid-client would not do. */
  async function post(path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    const response = await fetch(new URL(path, issuer), {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { authorization: basic(shop.id, secret), ...headers },
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text), headers: response.headers };
  }

  return {
    issuer,
    app,
    oidc,
    storage,
    sessions,
    notices,
    answers,
    apps,
    users,
    documents,
    log,
    fake,
    configure,
    begin,
    exchange,
    authorize,
    signIn,
    post,
    isCallback,
  };
}

export const basic = (id: string, password: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(password)}`).toString('base64')}`;

/** Asks for an authorization that may not show a page; answers `code` or the error. */
export async function silently(
  gateway: Harness,
  browser = createBrowser(),
  extra: Record<string, string> = {},
) {
  const attempt = await gateway.begin(await gateway.configure(), { prompt: 'none', ...extra });
  const { url } = await browser.open(attempt.url, gateway.isCallback);
  if (url.searchParams.get('state') !== attempt.state) throw new Error('the state did not come back');
  return url.searchParams.get('error') ?? 'code';
}

export const introspect = async (gateway: Harness, token: string): Promise<unknown> =>
  (await gateway.post('/introspect', { token })).body.active;

export const sessionsOf = (gateway: Harness) =>
  gateway.storage.db.selectFrom('sessions').select(['id', 'user_id', 'revoked_reason']).execute();
