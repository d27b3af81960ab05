// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import { createHmac, generateKeyPairSync } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import { attempt } from '../../src/delivery/attempt.ts';
import { createEgress } from '../../src/delivery/index.ts';
import type { Tools } from '../../src/delivery/preset.ts';
import { http } from '../../src/delivery/presets/http.ts';
import type { Provider } from '../../src/delivery/providers.ts';
import { type Gateway, startGateway } from './hostile-gateway.ts';
import { headersOf, message, provider, read } from './support.ts';

const start = new Date('2026-03-01T10:00:00Z');
const toolsAt = (ms = 0) => ({ now: new Date(start.getTime() + ms) }) as Tools;
const sendBy = (way: Provider, ms = 0, timeoutMs = 8_000) => attempt(way, message, timeoutMs, toolsAt(ms));

const oauth2 = {
  tokenUrl: 'https://login.example/token',
  clientId: 'sally port',
  clientSecret: '$secret.client',
  scope: 'sms:send',
};
const secrets = { client: 's3cret/+', key: 'k-1"\\$ctx.num', user: 'me' };

t.test('headers that are the same for every message', async (t) => {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  const cases: [auth: object, name: string, value: string][] = [
    [
      { basic: { username: '$secret.user', password: '$secret.client' } },
      'authorization',
      basic('me:s3cret/+'),
    ],
    [{ basic: { username: 'grün', password: 'a:b' } }, 'authorization', basic('grün:a:b')],
    [{ bearer: { token: '$secret.key' } }, 'authorization', 'Bearer k-1"\\$ctx.num'],
    [{ bearer: { token: '${env:TOKEN}' } }, 'authorization', 'Bearer pa$$ctx.num"\\'],
    [{ apiKey: { header: 'X-Api-Key', value: 'App $secret.client' } }, 'x-api-key', 'App s3cret/+'],
  ];
  for (const [auth, name, value] of cases) {
    const { faults, send } = read({ auth }, { secrets });
    t.strictSame(faults, []);
    t.equal(headersOf(send())[name], value, JSON.stringify(auth));
  }
});

t.test('what cannot be meant is a fault', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
    ...{ type: 'pkcs1', format: 'pem' },
  }) as string;
  const jwt = { algorithm: 'RS256', privateKey: pem };
  const cases: [auth: object, path: string, said: RegExp, more?: object][] = [
    [{ basic: { username: 'a:b', password: 'x' } }, 'http.auth.basic.username', /colon/],
    [{ bearer: { token: '$ctx.num' } }, 'http.auth.bearer.token', /cannot come from the message/],
    [{ bearer: { token: '$secret.none' } }, 'http.auth.bearer.token', /there is no secret/],
    [{ bearer: { token: 'a\nX-Evil: 1' } }, 'http.auth.bearer.token', /control characters/],
    [{ bearer: { token: 'x' } }, 'http.auth', /has one already/, { headers: { authorization: 'y' } }],
    [{ apiKey: { header: 'X Key', value: 'x' } }, 'http.auth.apiKey.header', /no name of a header/],
    [{ apiKey: { header: 'Host', value: 'x' } }, 'http.auth.apiKey.header', /written by the connector/],
    [{ oauth2: { ...oauth2, tokenUrl: 'login' } }, 'http.auth.oauth2.tokenUrl', /must begin with https/],
    [
      { oauth2: { ...oauth2, tokenUrl: 'https://u:p@l.example/' } },
      'http.auth.oauth2.tokenUrl',
      /user inform/,
    ],
    [
      { oauth2: { ...oauth2, tokenUrl: 'https://l.example/$ctx.num' } },
      'http.auth.oauth2.tokenUrl',
      /message/,
    ],
    [{ oauth2 }, 'http.auth', /has one already/, { headers: { Authorization: 'y' } }],
    [{ jwt: { ...jwt, privateKey: 'no' } }, 'http.auth.jwt.privateKey', /no private key/],
    [{ jwt: { ...jwt, privateKey: small } }, 'http.auth.jwt.privateKey', /at least 2048/],
    [{ jwt: { ...jwt, algorithm: 'ES256' } }, 'http.auth.jwt.privateKey', /P-256/],
    [{ jwt: { ...jwt, claims: { exp: 1 } } }, 'http.auth.jwt.claims.exp', /by the connector/],
    [{ jwt: { ...jwt, claims: { sub: '$ctx.nmu' } } }, 'http.auth.jwt.claims.sub', /did you mean/],
    [{ jwt: { ...jwt, lifetime: '2d' } }, 'http.auth.jwt.lifetime', /between 10s and 24h/],
    [{ hmac: { secret: 'x', header: 'X-Sig' } }, 'http.auth.hmac', /no payload/],
    [
      { hmac: { secret: 'x', header: 'X-Sig', value: '$ctx.num {signature}' } },
      'http.auth.hmac.value',
      /message/,
    ],
  ];
  for (const [auth, path, said, more] of cases) {
    const { faults } = read({ auth, ...more }, { secrets });
    t.ok(
      faults.some((fault) => fault.path === path && said.test(fault.message)),
      `${path}: ${JSON.stringify(faults)}`,
    );
  }
});

t.test('literal secrets do not come out', async (t) => {
  const shown = http.hide({
    url: 'https://sms.example',
    auth: { oauth2: { ...oauth2, tokenUrl: 'https://l.example/?key=literal-2', clientSecret: 'literal-1' } },
  });
  t.notMatch(JSON.stringify(shown), /literal-[12]/);
  t.match(shown, { auth: { oauth2: { clientId: 'sally port', clientSecret: '${stored}' } } });
  for (const auth of [
    { basic: { username: 'u', password: 'literal-1' } },
    { bearer: { token: 'literal-1' } },
    { apiKey: { header: 'X-Id', value: 'literal-1' } },
    { jwt: { algorithm: 'RS256', privateKey: 'literal-1' } },
    { hmac: { secret: 'literal-1', header: 'X' } },
  ]) {
    t.notMatch(JSON.stringify(http.hide({ auth })), 'literal-1');
  }
  const named = { bearer: { token: '$secret.key' } };
  t.strictSame(http.hide({ auth: named }), { auth: named }, 'a name is no secret');
});

/** A gateway that takes the tokens in `good` only, and gives out `t-1`, `t-2`, … at /token. */
async function startOAuth(t: Test, life: unknown = 3_600) {
  const good = new Set<string>();
  let given = 0;
  const gateway = await startGateway(t, {
    token(response) {
      const token = `token-number-${++given}`;
      good.add(token);
      const body = { access_token: token, token_type: 'bearer', expires_in: life };
      setTimeout(() => response.end(JSON.stringify(body)), 20);
    },
    send(response) {
      const token = /^Bearer (.+)$/.exec(response.req.headers.authorization ?? '')?.[1] ?? '';
      response.writeHead(good.has(token) ? 200 : 401).end(`you sent ${token}`);
    },
  });
  const way = provider(
    t,
    { url: `${gateway.url}/send`, auth: { oauth2: { ...oauth2, tokenUrl: `${gateway.url}/token` } } },
    { secrets },
  );
  const count = (path: string) => gateway.received.filter((request) => request.path === path).length;
  return { gateway, good, way, count };
}

t.test(
  'client credentials: one token for all that send at once, kept until shortly before it ends',
  async (t) => {
    const { gateway, way, count } = await startOAuth(t, 100);
    const first = await Promise.all(Array.from({ length: 16 }, () => sendBy(way)));
    t.ok(first.every(({ status }) => status === 'accepted'));
    t.equal(count('/token'), 1);
    t.match(gateway.received[0], {
      method: 'POST',
      path: '/token',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from('sally%20port:s3cret%2F%2B').toString('base64')}`,
      },
      body: 'grant_type=client_credentials&scope=sms%3Asend',
    });
    await sendBy(way, 69_000);
    t.equal(count('/token'), 1);
    await sendBy(way, 71_000);
    t.equal(count('/token'), 2);
  },
);

t.test('client credentials in the form', async (t) => {
  const gateway = await startGateway(t, {
    token: (response) => void response.end('{"access_token":"tok-1"}'),
  });
  const auth = { oauth2: { ...oauth2, tokenUrl: `${gateway.url}/token`, credentials: 'body' } };
  await sendBy(provider(t, { url: `${gateway.url}/ok`, auth }, { secrets }));
  t.equal(
    gateway.received[0]?.body,
    'grant_type=client_credentials&scope=sms%3Asend&client_id=sally+port&client_secret=s3cret%2F%2B',
  );
  t.equal(gateway.received[0]?.headers.authorization, undefined);
});

t.test('a refused token is replaced once, by one request for all', async (t) => {
  const { good, way, count } = await startOAuth(t);
  await sendBy(way);
  good.clear();
  const again = await Promise.all(Array.from({ length: 16 }, () => sendBy(way)));
  t.ok(again.every(({ status }) => status === 'accepted'));
  t.equal(count('/token'), 2);
  t.equal(count('/send'), 1 + 32);
});

t.test('a gateway that refuses every token is asked twice', async (t) => {
  const gateway = await startGateway(t, {
    token: (response) => void response.end('{"access_token":"a-token-of-weight","expires_in":"60"}'),
    send: (response) =>
      void response.writeHead(401).end(`no ${response.req.headers.authorization} ${message.to}`),
  });
  const auth = { oauth2: { ...oauth2, tokenUrl: `${gateway.url}/token` } };
  const outcome = await sendBy(provider(t, { url: `${gateway.url}/send`, auth }, { secrets }));
  t.strictSame(outcome, { status: 'unavailable', reason: 'status 401: no Bearer ••• •••' });
  t.strictSame(
    gateway.received.map(({ path }) => path),
    ['/token', '/send', '/token', '/send'],
  );
});

t.test('a 401 that does not say for certain that nothing was taken leads to no second message', async (t) => {
  for (const outcome of ['unknown', 'rejected', 'accepted']) {
    const { good, count, gateway } = await startOAuth(t);
    const auth = { oauth2: { ...oauth2, tokenUrl: `${gateway.url}/token` } };
    const outcomes = [{ status: [401], outcome }];
    const strict = provider(t, { url: `${gateway.url}/send`, auth, outcomes }, { secrets });
    await sendBy(strict);
    good.clear();
    t.equal((await sendBy(strict)).status, outcome);
    t.equal(count('/send'), 2);
    t.equal(count('/token'), 1);
  }
});

t.test('a token of no life serves those who wait for it, and nobody later', async (t) => {
  for (const life of [0, -5, 'soon', null]) {
    const { way, count } = await startOAuth(t, life);
    await sendBy(way);
    await sendBy(way);
    t.equal(count('/token'), 2, String(life));
  }
});

t.test('hostile token endpoints: nothing is sent, and another provider may be asked', async (t) => {
  const json = (body: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(body));
  const cases: [name: string, behaviour: (response: ServerResponse) => void, said: RegExp][] = [
    ['slow', () => undefined, /no access token came in time/],
    ['error', (r) => void r.writeHead(500).end('client s3cret/+ failed'), /status 500 client ••• failed/],
    ['refused', (r) => void r.writeHead(401).end('{"error":"invalid_client"}'), /invalid_client/],
    ['moved', (r) => void r.writeHead(307, { location: '/ok' }).end(), /status 307/],
    ['none', json({ token: 'x' }), /no access_token/],
    ['text', (r) => void r.end('tok'), /no access_token/],
    ['list', json(['x']), /no access_token/],
    ['wrong', json({ access_token: 7 }), /no access_token/],
    ['line', json({ access_token: 'a\r\nX-Evil: 1' }), /cannot be sent in a header/],
    ['long', json({ access_token: 'x'.repeat(9_000) }), /cannot be sent in a header/],
    ['mac', json({ access_token: 'x', token_type: 'mac' }), /not Bearer/],
    ['huge', (r) => void r.end(Buffer.alloc(5_000_000, 'x')), /too long/],
    ['cut', (r) => void r.socket?.destroy(), /no access token from 127\.0\.0\.1/],
    ['drip', (r) => void r.write('{'), /no access token came in time/],
  ];
  const gateway = await startGateway(t, Object.fromEntries(cases));
  const tokens = (path: string) => ({ oauth2: { ...oauth2, tokenUrl: `${gateway.url}/${path}` } });
  await Promise.all(
    cases.map(async ([name, , said]) => {
      const started = performance.now();
      const way = provider(t, { url: `${gateway.url}/send`, timeout: '1s', auth: tokens(name) }, { secrets });
      const outcome = await sendBy(way);
      t.match(outcome, { status: 'unavailable', reason: said }, `${name}: ${JSON.stringify(outcome)}`);
      t.ok(performance.now() - started < 1_800, name);
    }),
  );
  t.notOk(gateway.received.some(({ path }) => path === '/send' || path === '/ok'));
});

t.test('a token endpoint in a private network is refused when it is connected to', async (t) => {
  for (const address of ['127.0.0.1', '169.254.169.254']) {
    const gateway = await startGateway(t);
    const { port } = new URL(gateway.url);
    const auth = { oauth2: { ...oauth2, tokenUrl: `http://login.example:${port}/token` } };
    const way = provider(
      t,
      { url: 'https://sms.example/send', auth, allowPrivateNetwork: false },
      { secrets },
    );
    if (way.gateway === null) throw new Error('no gateway');
    way.gateway.dispatcher = createEgress({
      allowPrivateNetwork: false,
      resolve: (_host, callback) => callback(null, [{ address, family: 4 }]),
    });
    t.match(await sendBy(way), { status: 'unavailable', reason: /login\.example stands in a private/ });
    t.equal(gateway.received.length, 0);
    await way.gateway.dispatcher.destroy();
  }
});

t.test('signed tokens', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cases = [
    ['RS256', rsa, rsa.privateKey.export({ type: 'pkcs1', format: 'pem' })],
    ['RS256', rsa, rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['ES256', ec, ec.privateKey.export({ type: 'sec1', format: 'pem' })],
  ] as const;
  const gateway: Gateway = await startGateway(t);
  for (const [algorithm, pair, pem] of cases) {
    const claims = { iss: '$ctx.app.id', quote: 'a"$ctx.num', level: 3, live: true };
    const jwt = { algorithm, privateKey: '$secret.pem', keyId: 'k1', claims, lifetime: '1m' };
    const way = provider(t, { url: `${gateway.url}/ok`, auth: { jwt } }, { secrets: { pem: String(pem) } });
    const ids = new Set<unknown>();
    for (let round = 0; round < 2; round++) {
      t.equal((await sendBy(way)).status, 'accepted');
      const token = gateway.received.at(-1)?.headers.authorization?.replace(/^Bearer /, '') ?? '';
      const checked = await jwtVerify(token, pair.publicKey, { currentDate: start });
      t.strictSame(checked.protectedHeader, { alg: algorithm, typ: 'JWT', kid: 'k1' });
      const { jti, ...payload } = checked.payload;
      ids.add(jti);
      const iat = start.getTime() / 1_000;
      t.strictSame(
        payload,
        { iss: 'shop', quote: `a"${message.to}`, level: 3, live: true, iat, exp: iat + 60 },
        algorithm,
      );
    }
    t.equal(ids.size, 2, 'each message has its own');
  }
});

t.test('a signature over the very bytes of the body', async (t) => {
  const gateway = await startGateway(t);
  for (const [encoding, value] of [
    [undefined, undefined],
    ['hex', 'sha256={signature}'],
    ['base64', 'v1,{signature};by=$secret.user'],
  ] as const) {
    const hmac = {
      secret: '$secret.key',
      header: 'X-Signature',
      ...(encoding && { encoding }),
      ...(value && { value }),
    };
    const payload = '{"text":"grün 😀 $ctx.msg","to":$ctx.num}';
    const way = provider(t, { url: `${gateway.url}/ok`, auth: { hmac }, payload }, { secrets });
    t.equal((await sendBy(way)).status, 'accepted');
    const { headers = {}, body = '' } = gateway.received.at(-1) ?? {};
    const signature = createHmac('sha256', secrets.key)
      .update(body)
      .digest(encoding ?? 'hex');
    t.equal(
      headers['x-signature'],
      (value ?? '{signature}').replace('{signature}', () => signature).replace('$secret.user', 'me'),
    );
  }
});

t.test('a secret that turns out empty proves nothing: the provider cannot be used', async (t) => {
  const signature = { secret: 'hook', header: 'X-Secret' };
  const receipts = { signature, state: 'status', states: { failed: ['no'] } };
  const { faults } = read({ receipts }, { secrets: { hook: '${env:NOWHERE:-}' } });
  t.same(faults, [{ path: 'secrets.hook', message: 'is empty' }]);
  t.same(read({ receipts }, { secrets: { hook: '${env:TOKEN}' } }).faults, []);
});
