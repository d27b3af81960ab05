import { createHmac } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { receiptRoutes } from '../../../src/delivery/index.ts';
import { twilioSignature } from '../../../src/delivery/receipts/twilio.ts';
import { sendRiders } from '../../../src/storage/index.ts';
import type { Storage } from '../../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../../helpers/database.ts';
import { openTestHttp } from '../../helpers/http.ts';
import { silent } from '../../helpers/log.ts';
import { startGateway } from '../hostile-gateway.ts';
import { type Bench, dump, eventsOf, httpProvider, issuer, openBench, rowOf } from '../service-support.ts';

/** What a gateway sends to us: the generic connector's words. */
const receipts = {
  id: '/id',
  state: '/status',
  states: { sent: ['SENT'], delivered: ['DELIVRD'], failed: ['UNDELIV', 7], read: ['READ'] },
  failure: '/why',
  failures: { number: ['absent'], blocked: ['barred'] },
};

interface Calls {
  bench: Bench;
  counted: string[];
  app: FastifyInstance;
  /** The path with which the gateway was told to report. */
  callbackOf(id: string): string;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<number>;
}

async function open(
  t: Test,
  storage: Storage,
  providers: (url: string) => Record<string, unknown>[],
): Promise<Calls> {
  const gateway = await startGateway(t);
  const counted: string[] = [];
  const bench = await openBench(t, storage, providers(gateway.url), silent, ({ name }) => {
    counted.push(name);
  });
  const { app } = await openTestHttp({ issuer });
  await app.register(async (scope) => receiptRoutes(scope, { receipts: bench.delivery.receipts, issuer }));
  t.teardown(() => app.close());
  return {
    ...{ bench, counted, app },
    callbackOf(id) {
      const sent = gateway.received.find(({ body }) => body.includes(id));
      const { callback } = JSON.parse(sent?.body ?? '{}') as { callback?: string };
      return (callback ?? '').replace(issuer.origin, '');
    },
    async post(path, body, headers = {}) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const type = typeof body === 'string' ? 'application/x-www-form-urlencoded' : 'application/json';
      const answer = await app.inject({
        ...{ method: 'POST', url: path, payload: text },
        headers: { 'content-type': type, ...headers },
      });
      t.equal(answer.statusCode === 200 ? answer.body : '', '', 'nothing is said');
      return answer.statusCode;
    },
  };
}

const payload = '{"id":$ctx.id,"to":$ctx.num,"callback":$ctx.callback}';
const messageId = { pointer: '/id' };

t.test('a gateway that signs nothing reports to the address of the message', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { app, bench, callbackOf, counted, post } = await open(t, storage, (url) => [
      httpProvider('main', `${url}/ok`, { payload, receipts }),
    ]);
    const state = (reference: string) => bench.delivery.state(storage.db, reference);
    const message = await bench.queue({ reference: 'one' });
    await bench.delivery.send(message);
    const other = await bench.queue({ reference: 'other' });
    await bench.delivery.send(other);
    const callback = callbackOf(message.id);
    t.match(callback, new RegExp(`^/receipts/main\\?message=${message.id}&s=k1\\.`));

    const signature = new URL(callback, issuer).searchParams.get('s') ?? '';
    for (const [name, path] of [
      ['no signature', `/receipts/main?message=${message.id}`],
      ['an empty one', `/receipts/main?message=${message.id}&s=`],
      ['that of another message', `/receipts/main?message=${other.id}&s=${signature}`],
      ['nothing', '/receipts/main'],
    ] as const) {
      t.equal(await post(path, { id: 'gw-1', status: 'DELIVRD' }), 403, name);
    }
    t.equal(await post(callback.replace('main', 'nobody'), { status: 'DELIVRD' }), 404, 'no such provider');
    t.equal(await state('one'), 'accepted', 'nothing of it changed anything');
    t.same(counted.splice(0), Array(4).fill('receipt.forged'));

    t.equal(await post(callback, { status: 'SENT' }), 200);
    t.equal(await state('one'), 'accepted');
    t.equal(await post(callback, { status: 'DELIVRD' }), 200);
    t.equal(await state('one'), 'delivered');
    t.equal(await state('other'), 'accepted', 'the other one is left alone');
    t.equal(await post(callback, { status: 'DELIVRD' }), 200, 'a repetition is taken');
    t.equal(await post(callback, { status: 'SENT' }), 200, 'so is what comes too late');
    t.equal(await post(callback, { status: 'UNDELIV' }), 200, 'and what contradicts');
    t.equal(await post(callback, { status: 'WHATEVER' }), 200, 'and words that nobody knows');
    t.equal(await state('one'), 'delivered', 'but nothing of it is a step back');
    t.same(counted.splice(0), [
      'receipt.sent',
      ...['receipt.replayed', 'receipt.replayed', 'receipt.replayed'],
    ]);
    t.equal(
      (await eventsOf(storage.db)).filter((event) => event === 'receipt.delivered main').length,
      1,
      'recorded once',
    );

    const head = await app.inject({ method: 'HEAD', url: callbackOf(other.id) });
    t.equal(head.statusCode, 404, 'a HEAD reports nothing');
    t.equal(await state('other'), 'accepted');
    const junk = await post(callback, '{"status":', { 'content-type': 'application/json' });
    t.equal(junk, 200, 'no JSON, no receipt');
    t.equal(await post(callback, { status: 'x'.repeat(140_000) }), 413);
    t.equal(await post(callback, { id: '\0', status: 'DELIVRD' }), 200);
    t.notOk((await dump(storage.db)).includes(signature));
  });
});

t.test('by GET, and by a form', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { app, bench, callbackOf, post } = await open(t, storage, (url) => [
      httpProvider('main', `${url}/ok`, {
        payload,
        receipts: { ...receipts, state: 'status', failure: 'err' },
      }),
    ]);
    const one = await bench.queue({ reference: 'one' });
    const two = await bench.queue({ reference: 'two' });
    for (const message of [one, two]) await bench.delivery.send(message);
    for (let n = 0; n < 2; n++) {
      const url = `${callbackOf(one.id)}&status=DELIVRD`;
      t.equal((await app.inject({ method: 'GET', url })).statusCode, 200);
    }
    t.equal(await bench.delivery.state(storage.db, 'one'), 'delivered');
    t.equal(await post(callbackOf(two.id), 'status=7&err=barred'), 200);
    t.equal(await bench.delivery.state(storage.db, 'two'), 'failed');
    t.match(await rowOf(storage.db, two.id), { receipt: 'failed', failure: 'blocked', status: 'accepted' });
  });
});

t.test('a gateway that signs its calls is not believed without', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const key = 'hmac-secret-0123456789';
    const signature = { secret: 'hook', header: 'X-Sig', over: 'body', prefix: 'sha256=' };
    const { bench, callbackOf, counted, post } = await open(t, storage, (url) => [
      httpProvider(
        'main',
        `${url}/ok`,
        { payload, messageId, receipts: { ...receipts, signature } },
        { secrets: { hook: key } },
      ),
      httpProvider(
        'plain',
        `${url}/ok`,
        { receipts: { ...receipts, signature: { secret: 'hook', header: 'X-Token' } } },
        { secrets: { hook: key } },
      ),
    ]);
    const message = await bench.queue({ reference: 'one' });
    await bench.delivery.send(message);
    const body = { id: 'gw-1', status: 'DELIVRD' };
    const sign = (text: string, by = key) => ({
      'x-sig': `sha256=${createHmac('sha256', by).update(text).digest('hex')}`,
    });
    const text = JSON.stringify(body);
    t.equal(await post('/receipts/main', body), 403);
    t.equal(await post(callbackOf(message.id), body), 403, 'the address alone is not enough here');
    t.equal(await post('/receipts/main', body, sign(text, 'another')), 403);
    t.equal(await post('/receipts/main', body, sign(`${text} `)), 403, 'over every byte');
    t.equal(await post('/receipts/main', body, { 'x-sig': 'sha256=' }), 403);
    t.equal(await bench.delivery.state(storage.db, 'one'), 'accepted');
    const foreign = { id: 'gw-2', status: 'DELIVRD' };
    t.equal(await post('/receipts/main', foreign, sign(JSON.stringify(foreign))), 200);
    t.equal(await post('/receipts/plain', body, { 'x-token': key }), 200, 'of another provider');
    t.same(counted.slice(-2), ['receipt.unknown', 'receipt.unknown']);
    t.equal(await bench.delivery.state(storage.db, 'one'), 'accepted');
    t.equal(await post('/receipts/main', body, sign(text)), 200, 'by the id of the gateway');
    t.equal(await bench.delivery.state(storage.db, 'one'), 'delivered');
    t.equal(await post('/receipts/plain', body, { 'x-token': `${key}x` }), 403, 'a shared secret');
  });
});

t.test('a message of which nobody knew whether it was sent', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { bench, callbackOf, post } = await open(t, storage, (url) => [
      httpProvider('main', `${url}/broken`, { payload, receipts }),
    ]);
    const message = await bench.queue({ reference: 'one' });
    t.match(await bench.delivery.send(message), { status: 'unknown' });
    await post(callbackOf(message.id), { status: 'SENT' });
    t.equal(await bench.delivery.state(storage.db, 'one'), 'accepted');
    await post(callbackOf(message.id), { status: 'DELIVRD' });
    t.equal(await bench.delivery.state(storage.db, 'one'), 'delivered');
  });
});

t.test('failures speak against a provider when their number has verified something', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { bench, callbackOf, post } = await open(t, storage, (url) => [
      httpProvider('main', `${url}/ok`, { payload, receipts }),
    ]);
    const failOne = async (to: string, why: string) => {
      const message = await bench.queue({ to, reference: `${to} ${why}` });
      await bench.delivery.send(message);
      await post(callbackOf(message.id), { status: 'UNDELIV', why });
    };
    const isOpen = () => bench.delivery.openBreakers(bench.now).size === 1;
    for (let n = 0; n < 10; n++) await failOne(`+44770090010${n}`, 'lost');
    t.notOk(isOpen(), 'anybody can ask for messages to numbers that are none');
    for (let n = 0; n < 10; n++) {
      await bench.queue({ to: `+44770090020${n}`, reference: `code ${n}` });
      await sendRiders(storage.db, [bench.delivery.verifying(`code ${n}`, bench.now)]);
    }
    for (let n = 0; n < 10; n++) await failOne(`+44770090020${n}`, n % 2 ? 'absent' : 'barred');
    t.notOk(isOpen(), 'nor is it the fault of the provider that a number is gone');
    bench.now = new Date(bench.now.getTime() + 120_000);
    for (let n = 0; n < 4; n++) await failOne(`+44770090020${n}`, 'lost');
    t.notOk(isOpen(), 'four are not many');
    await failOne('+447700900204', 'lost');
    t.ok(isOpen(), 'whoever loses everything is left alone');
  });
});

t.test('a number that wants no more messages', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const key = 'shared-secret-0123456789';
    const replies = { from: 'from', text: 'text' };
    const signature = { secret: 'hook', header: 'X-Token' };
    const { bench, counted, post } = await open(t, storage, (url) => [
      httpProvider(
        'main',
        `${url}/ok`,
        { receipts: { ...receipts, signature, replies } },
        { secrets: { hook: key } },
      ),
      httpProvider('open', `${url}/ok`, { receipts: { ...receipts, replies } }),
    ]);
    const headers = { 'x-token': key };
    let sends = 0;
    const send = async (to = '+447700900123') => {
      sends += 1;
      const message = await bench.queue({ to, reference: `code ${sends}` });
      const outcome = await bench.delivery.send(message);
      return { outcome, state: await bench.delivery.state(storage.db, `code ${sends}`) };
    };
    t.equal(await post('/inbound/main', 'from=447700900123&text=STOP'), 403);
    t.equal(await post('/inbound/open', 'from=447700900123&text=STOP'), 403, 'never without a signature');
    t.equal(await post('/inbound/main', 'from=447700900123&text=Hello', headers), 200);
    t.match(await send(), { outcome: { status: 'accepted' } });
    t.equal(await post('/inbound/main', 'from=447700900123&text=Stop.', headers), 200);
    t.equal(await post('/inbound/main', 'from=447700900123&text=STOP', headers), 200, 'once more');
    t.match(await send(), { outcome: { status: 'rejected' }, state: 'stopped' });
    t.match(await send('+447700900124'), { outcome: { status: 'accepted' } }, 'others get theirs');
    t.same(counted, [
      ...['receipt.forged', 'receipt.forged', 'receipt.reply', 'receipt.stop', 'receipt.replayed'],
    ]);
    t.equal(await post('/inbound/main', 'from=%2B447700900123&text=start', headers), 200);
    t.match(await send(), { outcome: { status: 'accepted' } });
    const events = (await eventsOf(storage.db)).filter((event) => event.startsWith('number.'));
    t.same(events, ['number.resumed main', 'number.stopped main']);
    t.notOk((await dump(storage.db)).includes('7700900123'));
  });
});

t.test("Twilio's calls, from message to receipt", async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const authToken = 'twilio-auth-token-0123456789';
    const answer = JSON.stringify({ sid: 'SM0123' });
    const gateway = await startGateway(t, {
      '2010-04-01': (response) => response.writeHead(201).end(answer),
    });
    const bench = await openBench(t, storage, [
      {
        ...{ id: 'tw', channel: 'sms', preset: 'twilio', from: '+15005550006' },
        twilio: {
          ...{ accountSid: `AC${'0'.repeat(32)}`, authToken },
          ...{ baseUrl: gateway.url, allowPrivateNetwork: true },
        },
      },
    ]);
    const { app } = await openTestHttp({ issuer });
    await app.register(async (scope) => receiptRoutes(scope, { receipts: bench.delivery.receipts, issuer }));
    t.teardown(() => app.close());
    const message = await bench.queue({ reference: 'one' });
    t.same(await bench.delivery.send(message), { status: 'accepted', gatewayId: 'SM0123' });
    const callback = new URLSearchParams(gateway.received[0]?.body).get('StatusCallback') ?? '';
    const form = { MessageSid: 'SM0123', MessageStatus: 'delivered', AccountSid: 'AC0' };
    const post = async (members: Record<string, string>, signature: string) => {
      const answer = await app.inject({
        ...{ method: 'POST', url: callback.replace(issuer.origin, '') },
        payload: new URLSearchParams(members).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
          'x-twilio-signature': signature,
        },
      });
      return answer.statusCode;
    };
    const signature = twilioSignature(authToken, callback, form);
    t.equal(await post({ ...form, MessageStatus: 'failed' }, signature), 403, 'another state');
    t.equal(await bench.delivery.state(storage.db, 'one'), 'accepted');
    t.equal(await post(form, signature), 200);
    t.equal(await bench.delivery.state(storage.db, 'one'), 'delivered');
  });
});

t.test('the same receipt sixteen times at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const { bench, callbackOf, counted, post } = await open(t, storage, (url) => [
      httpProvider('main', `${url}/ok`, { payload, receipts }),
    ]);
    const message = await bench.queue({ reference: 'one' });
    await bench.delivery.send(message);
    const callback = callbackOf(message.id);
    await Promise.all(Array.from({ length: 16 }, () => post(callback, { status: 'DELIVRD' })));
    t.same(counted, Array(15).fill('receipt.replayed'));
    t.equal(
      (await eventsOf(storage.db)).filter((event) => event === 'receipt.delivered main').length,
      1,
      'recorded once',
    );
  });
});
