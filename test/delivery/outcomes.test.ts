import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { attempt } from '../../src/delivery/attempt.ts';
import type { Tools } from '../../src/delivery/preset.ts';
import type { Outcome } from '../../src/delivery/types.ts';
import { type Gateway, startGateway } from './hostile-gateway.ts';
import { message, provider } from './support.ts';

const tools = {} as Tools;

interface Case {
  path: string;
  options?: Record<string, unknown>;
  outcome: Outcome['status'];
  gatewayId?: string | null;
  reason?: RegExp;
}

/** As Vonage answers: 200 whatever happened, the truth inside. */
const vonage = {
  success: { status: [200], body: { pointer: '/messages/0/status', equals: '0' } },
  messageId: { pointer: '/messages/0/message-id' },
  outcomes: [{ body: { pointer: '/messages/0/status', in: ['1', '4'] }, outcome: 'unavailable' }],
};

const cases: Case[] = [
  { path: 'ok', outcome: 'accepted', gatewayId: null },
  { path: 'ok', options: { messageId: { pointer: '/id' } }, outcome: 'accepted', gatewayId: 'gw-1' },
  { path: 'ok', options: { messageId: { header: 'X-Id' } }, outcome: 'accepted', gatewayId: 'gw-h' },
  {
    path: 'ok',
    options: { messageId: { matches: '"(gw-[0-9]+)"' } },
    outcome: 'accepted',
    gatewayId: 'gw-1',
  },
  { path: 'accepted', outcome: 'accepted' },
  { path: 'nocontent', outcome: 'unknown' },
  { path: 'nocontent', options: { success: { status: [200, '201-204'] } }, outcome: 'accepted' },
  { path: 'vonage', options: vonage, outcome: 'accepted', gatewayId: '0A000' },
  { path: 'wrongkey', options: vonage, outcome: 'unavailable', reason: /Bad Credentials/ },
  { path: 'wrongkey', options: { success: vonage.success }, outcome: 'unavailable' },
  {
    path: 'wrongkey',
    options: { ...vonage, outcomes: [{ body: { matches: 'Bad Cred' }, outcome: 'rejected' }] },
    outcome: 'rejected',
  },
  { path: 'html', options: { success: vonage.success }, outcome: 'unknown' },
  { path: 'html', options: { success: { body: { matches: '^OK' } } }, outcome: 'unavailable' },
  { path: 'ok', options: { success: { header: { name: 'X-ID', equals: 'gw-h' } } }, outcome: 'accepted' },
  { path: 'ok', options: { success: { header: { name: 'X-Error', exists: false } } }, outcome: 'accepted' },
  { path: 'slowdown', outcome: 'unavailable', reason: /status 429, Retry-After 30/ },
  { path: 'credentials', outcome: 'unavailable' },
  { path: 'busy', outcome: 'unavailable' },
  { path: 'badnumber', outcome: 'rejected', reason: /21211/ },
  {
    path: 'badnumber',
    options: {
      outcomes: [{ status: ['400-499'], body: { pointer: '/code', in: [21211] }, outcome: 'unavailable' }],
    },
    outcome: 'unavailable',
  },
  { path: 'broken', outcome: 'unknown' },
  {
    path: 'broken',
    options: { outcomes: [{ status: [500], outcome: 'unavailable' }] },
    outcome: 'unavailable',
  },
  { path: 'redirect', outcome: 'unavailable' },
  { path: 'found', outcome: 'unknown', reason: /^status 302, redirects to .*, which is not followed$/ },
  { path: 'hang', outcome: 'unknown', reason: /no whole answer within 1000 ms/ },
  { path: 'hangbody', outcome: 'accepted' },
  { path: 'hangbody', options: { messageId: { header: 'x-id' } }, outcome: 'accepted', gatewayId: 'gw-h' },
  { path: 'hangbody', options: { success: { body: { exists: true, pointer: '/id' } } }, outcome: 'unknown' },
  { path: 'cut', outcome: 'unknown' },
  { path: 'cutbody', options: { success: { body: { exists: true, pointer: '/id' } } }, outcome: 'unknown' },
  {
    ...{ path: 'drip', options: { success: { body: { matches: 'ok' } } }, outcome: 'unknown' },
    reason: /^no whole answer within 1000 ms; status 200, answer cut/,
  },
  {
    ...{ path: 'flood', options: { success: { body: { matches: 'ok' } } }, outcome: 'unknown' },
    reason: /^the answer is too long; status 200, answer cut/,
  },
  { path: 'flood', options: { messageId: { matches: 'id=(.*)' } }, outcome: 'accepted', gatewayId: null },
];

t.test('what an answer means', async (t) => {
  const gateway = await startGateway(t);
  await Promise.all(cases.map((one) => check(t, gateway, one)));
});

async function check(t: Test, gateway: Gateway, { path, options, ...wanted }: Case): Promise<void> {
  const started = performance.now();
  const way = provider(t, { url: `${gateway.url}/${path}`, timeout: '1s', ...options });
  const outcome = await attempt(way, message, 8_000, tools);
  const name = `${path} ${JSON.stringify(options ?? {})}`;
  t.equal(outcome.status, wanted.outcome, `${name}: ${JSON.stringify(outcome)}`);
  if (wanted.gatewayId !== undefined) t.match(outcome, { gatewayId: wanted.gatewayId });
  if (wanted.reason !== undefined) t.match(outcome, { reason: wanted.reason });
  t.ok(performance.now() - started < 1_800, `${name} took ${Math.round(performance.now() - started)} ms`);
}

t.test('a redirect is not followed', async (t) => {
  const gateway = await startGateway(t);
  await attempt(provider(t, { url: `${gateway.url}/redirect` }), message, 8_000, tools);
  t.same(
    gateway.received.map(({ path }) => path),
    ['/redirect'],
  );
});

t.test('what was not written is unavailable', async (t) => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const refused = await attempt(provider(t, { url: `http://127.0.0.1:${port}/` }), message, 8_000, tools);
  t.equal(refused.status, 'unavailable', 'connection refused');

  const nowhere = await attempt(provider(t, { url: 'http://gateway.invalid/' }), message, 8_000, tools);
  t.equal(nowhere.status, 'unavailable', 'no such name');

  const gateway = await startGateway(t);
  const tls = await attempt(
    provider(t, { url: gateway.url.replace('http:', 'https:') }),
    message,
    8_000,
    tools,
  );
  t.equal(tls.status, 'unavailable', 'no TLS there');

  const control = provider(t, { url: gateway.url, headers: { 'X-Text': '$ctx.msg' } });
  const unfit = await attempt(control, { ...message, text: 'a\nb' }, 8_000, tools);
  t.match(unfit, { status: 'unavailable', reason: /control characters/ });
  t.equal(gateway.received.length, 0);
});

t.test('a request that waited too long for its connection is never written', async (t) => {
  const sockets: { destroy(): void }[] = [];
  // Takes connections and never says anything, so that TLS does not come up.
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const way = provider(t, { url: `https://127.0.0.1:${port}/` });
  const started = performance.now();
  const outcome = await attempt(way, message, 500, tools);
  t.equal(outcome.status, 'unavailable');
  t.ok(performance.now() - started < 1_000);
});

t.test('what goes over the wire', async (t) => {
  const gateway = await startGateway(t);
  const send = (options: Record<string, unknown>, text = message.text) =>
    attempt(provider(t, options), { ...message, text }, 8_000, tools);

  await send({ url: `${gateway.url}/ok?to=$ctx.num`, payload: '' });
  t.match(gateway.received.at(-1), {
    method: 'POST',
    path: '/ok?to=%2B447700900123',
    headers: { 'content-length': '0' },
    body: '',
  });
  await send({ url: `${gateway.url}/ok`, method: 'put' });
  t.equal(gateway.received.at(-1)?.method, 'PUT');
  await send({ url: `${gateway.url}/ok`, method: 'get', payload: '' });
  t.equal(gateway.received.at(-1)?.method, 'GET');
  await send({ url: `${gateway.url}/ok`, headers: { 'X-Text': '$ctx.msg' } }, 'Ihr Code für 😀');
  const received = gateway.received.at(-1);
  t.equal(Buffer.from(String(received?.headers['x-text']), 'latin1').toString('utf8'), 'Ihr Code für 😀');
  t.same(JSON.parse(received?.body ?? ''), { to: message.to, text: 'Ihr Code für 😀' });
  t.equal(received?.headers['content-type'], 'application/json');
});

t.test('reasons hold no number, code or secret, however they are written', async (t) => {
  const gateway = await startGateway(t);
  const secret = 'p&ss "word"/\u00e9';
  const way = provider(
    t,
    {
      url: `${gateway.url}/echo?api_key=literalkey1`,
      headers: { Authorization: 'Bearer literal-token-22' },
      contentType: 'TEXT',
      payload: [
        '$ctx.num $num.digits $num.national +44 7700 900123 $ctx.otp urlencode{$ctx.num}',
        'urlencode{$secret.key} base64{$secret.key} $secret.key literalkey1 literal-token-22',
        JSON.stringify(secret),
      ].join('\n'),
    },
    { secrets: { key: secret } },
  );
  const outcome = await attempt(way, { ...message, text: 'x' }, 8_000, tools);
  const { reason } = outcome as { reason: string };
  t.match(reason, /^status 400: /);
  for (const part of [
    '7700900123',
    '900123',
    '493817',
    'ss ',
    'word',
    'literal',
    'cCZz',
    'p%26ss',
    '%22word',
  ]) {
    t.notOk(reason.includes(part), `${part} in ${reason}`);
  }
});
