import { createServer } from 'node:http';
import { registerHooks } from 'node:module';
import type { AddressInfo } from 'node:net';
import * as client from 'openid-client';
import t, { type Test } from 'tap';
import { alice, eachDatabaseUrl, postgresUrl, shop, standard, startGateway } from '../helpers/gateway.ts';
import { createTestApp, openLogin, signIn } from '../helpers/relying-party.ts';

const loaded: string[] = [];
registerHooks({
  load(url, context, next) {
    if (url.includes('/@opentelemetry/')) loaded.push(url.replace(/^.*@opentelemetry\//, ''));
    return next(url, context);
  },
});
const loadedBefore = async () => {
  // What the library for metrics loads, with or without traces.
  await import('prom-client');
  return loaded.length;
};

interface Value {
  stringValue?: string;
  intValue?: number;
}
interface Attributes {
  attributes: { key: string; value: Value }[];
}
interface Span extends Attributes {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  events: ({ name: string } & Attributes)[];
  status: { code?: number; message?: string };
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}

/** A collector that keeps what it is sent. */
async function startCollector(t: Test) {
  const bodies: string[] = [];
  const headers: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    headers.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    headers,
    resources: () =>
      bodies.flatMap((body) =>
        JSON.parse(body).resourceSpans.map((one: { resource: Attributes }) => of(one.resource)),
      ),
    spans: (): Span[] =>
      bodies.flatMap((body) =>
        JSON.parse(body).resourceSpans.flatMap((one: { scopeSpans: { spans: Span[] }[] }) =>
          one.scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
  };
}

const of = ({ attributes }: Attributes): Record<string, string | number | undefined> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));

/** Every request of this process says that it belongs to this trace. */
function sendTraceparent(t: Test, traceparent: string): void {
  const { fetch } = globalThis;
  globalThis.fetch = (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('traceparent', traceparent);
    return fetch(input, { ...init, headers });
  };
  t.teardown(() => {
    globalThis.fetch = fetch;
  });
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';

function start(
  t: Test,
  databaseUrl: string | null,
  env: Record<string, string>,
  logTo = (_line: string) => {},
) {
  const { gateway } = standard('');
  return startGateway(t, {
    databaseUrl,
    logTo,
    env: { LOG_LEVEL: 'trace', ...env },
    files: { gateway: { ...gateway, trustedProxies: ['127.0.0.1', '::1'] } },
  });
}

await t.test('without a collector nothing of it is loaded', async (t) => {
  const before = await loadedBefore();
  const gateway = await start(t, await postgresUrl(t), {});
  await signIn(gateway, await createTestApp(gateway, shop), alice);
  t.equal(gateway.running.context.tracer, null);
  t.strictSame(loaded.slice(before), []);
});

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const collector = await startCollector(t);
  const lines: string[] = [];
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-collector',
    OTEL_SERVICE_NAME: 'login',
  };
  const before = loaded.length;
  const gateway = await start(t, databaseUrl, env, (line) => lines.push(line));
  if (databaseUrl !== null) t.ok(loaded.length > before, 'the libraries are loaded where they are wanted');
  sendTraceparent(t, `00-${traceId}-${parentId}-01`);
  const app = await createTestApp(gateway, shop);
  const { tokens, callback, browser } = await signIn(gateway, app, alice, {
    scope: 'openid profile offline_access',
    prompt: 'consent',
  });
  await client.fetchUserInfo(app.configuration, tokens.access_token, client.skipSubjectCheck);
  const wrong = await openLogin(app);
  await wrong.browser.submit(wrong.page, { username: 'alice', password: 'a wrong but secret password' });
  await fetch(`${gateway.issuer}/healthz?secret=in-a-query`);
  await fetch(`${gateway.issuer}/nowhere/secret-in-a-path`);
  const code = /#(\S+)$/.exec(gateway.sms.received.at(-1)?.text ?? '')?.[1] ?? '';
  await gateway.running.close();

  const spans = collector.spans();
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const requests = spans.filter(({ kind }) => kind === 2);
  t.strictSame([...new Set(spans.map((span) => span.traceId))], [traceId], 'the whole login is one trace');
  for (const span of spans) {
    const { parentSpanId = '', name } = span;
    if (span.kind === 2) t.equal(parentSpanId, parentId, `${name} belongs to who called`);
    else t.ok(byId.has(parentSpanId), `${name} has its parent`);
    t.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), `${name} ends after its start`);
  }
  const names = new Set(requests.map(({ name }) => name));
  for (const name of [
    'GET /authorize',
    'GET /login/:id',
    'POST /login/:id',
    'POST /token',
    'GET /userinfo',
  ]) {
    t.ok(names.has(name), `${name} is told by its pattern: ${[...names]}`);
  }
  t.ok(names.has('GET'), 'an address that does not exist has no pattern');
  t.notOk(
    [...names].some((name) => name.includes('healthz')),
    'nobody wants to see health checks',
  );

  const under = (span: Span | undefined) => spans.filter(({ parentSpanId }) => parentSpanId === span?.spanId);
  const hashed = spans.filter(({ name }) => name === 'verify password');
  t.equal(hashed.length, 2);
  const [password] = hashed.map(({ parentSpanId = '' }) => byId.get(parentSpanId));
  t.equal(
    password?.name,
    'POST /login/:id',
    'hashing is a part of its request, behind the reading of its body',
  );
  t.match(of(password as Span), {
    'http.request.method': 'POST',
    'http.route': '/login/:id',
    'http.response.status_code': 303,
    'sallyport.login': /^\S+$/,
    'sallyport.app': 'shop',
  });
  t.match(password?.events.find(({ name }) => name === 'login.step.passed')?.attributes, [
    { key: 'sallyport.step', value: { stringValue: 'first' } },
    { key: 'sallyport.method', value: { stringValue: 'password' } },
  ]);
  const logins = new Set(requests.map((span) => of(span)['sallyport.login']).filter(Boolean));
  t.equal(logins.size, 2, 'two logins, each by one name');
  const message = spans.find(({ name }) => name === 'send message');
  t.match(of(message as Span), { 'sallyport.provider': 'main', 'sallyport.outcome': 'accepted' });
  t.ok(under(password).includes(message as Span), 'the message was sent while the person waited');
  const statements = under(password).filter((span) => of(span)['db.system.name'] === 'postgresql');
  t.ok(statements.length >= 5, `${statements.length} statements`);
  t.ok(
    statements.some((span) => /\$1/.test(String(of(span)['db.query.text']))),
    'by their text, without values',
  );
  t.ok(statements.some(({ name }) => name === 'select users'));
  t.match(collector.resources()[0], { 'service.name': 'login', 'service.instance.id': /-/ });
  t.strictSame([...new Set(collector.headers)], ['Bearer of-the-collector']);

  const answered = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
  for (const { trace_id, span_id, route } of answered) {
    if (route === '/healthz') t.equal(trace_id, undefined);
    else t.ok(trace_id === traceId && byId.has(span_id), `the log says which span: ${route}`);
  }

  const secrets = [
    alice.password,
    'a wrong but secret password',
    shop.secret,
    alice.phone,
    alice.phone.slice(1),
    alice.username,
    callback.searchParams.get('code') ?? '',
    tokens.access_token,
    tokens.refresh_token ?? '',
    tokens.id_token ?? '',
    browser.cookie('sp-session') ?? '',
    wrong.browser.cookie('sp-login') ?? '',
    wrong.attempt.state,
    'in-a-query',
    'secret-in-a-path',
  ];
  const exported = collector.bodies.join('\n');
  for (const secret of secrets) {
    t.ok(secret.length >= 4);
    t.notOk(exported.includes(secret), 'no secret and no person in what is sent');
  }
  // Six digits may stand in an id or a time by chance.
  t.notMatch(exported, new RegExp(`(?<![0-9a-f])${code}(?![0-9a-f])`));
  t.notOk(
    gateway.sms.received.some((one) => JSON.stringify(one).includes(traceId)),
    'SMS gateways hear of no trace',
  );
});

await t.test('a stranger cannot choose a trace', async (t) => {
  const collector = await startCollector(t);
  const gateway = await startGateway(t, {
    databaseUrl: await postgresUrl(t),
    env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/taken/as/it/is` },
  });
  sendTraceparent(t, `00-${traceId}-${parentId}-00`);
  await fetch(`${gateway.issuer}/jwks`);
  await gateway.running.close();
  const [span] = collector.spans();
  t.equal(span?.name, 'GET /jwks', 'it is told although the stranger said no');
  t.not(span?.traceId, traceId);
  t.notOk(span?.parentSpanId);
});

await t.test('who calls decides whether it is told', async (t) => {
  const collector = await startCollector(t);
  const gateway = await start(t, await postgresUrl(t), { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  sendTraceparent(t, `00-${traceId}-${parentId}-00`);
  t.equal((await fetch(`${gateway.issuer}/jwks`)).status, 200);
  await gateway.running.close();
  t.strictSame(collector.spans(), []);
});

/** Takes connections and answers nothing, or `status`. */
async function startBadCollector(t: Test, status: number | null): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    if (status !== null) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const unreachable = async () => 'http://127.0.0.1:1';
const collectors: [string, (t: Test) => Promise<string>][] = [
  ['is not there', unreachable],
  ['does not answer', (t) => startBadCollector(t, null)],
  ['refuses', (t) => startBadCollector(t, 401)],
];
for (const [what, endpoint] of collectors) {
  await t.test(`a collector that ${what} holds up nothing`, async (t) => {
    const lines: string[] = [];
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: await endpoint(t),
      OTEL_EXPORTER_OTLP_HEADERS: 'key=of-the-collector',
    };
    const gateway = await start(t, await postgresUrl(t), env, (line) => lines.push(line));
    const app = await createTestApp(gateway, shop);
    t.ok((await signIn(gateway, app, alice)).tokens.id_token);
    const before = performance.now();
    await gateway.running.close();
    t.ok(performance.now() - before < 2_500, 'nor a stop');
    if (what === 'refuses') t.match(lines.at(-1), /the collector takes no traces/);
    t.notMatch(lines.join(), /of-the-collector/);
  });
}
