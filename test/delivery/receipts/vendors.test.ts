import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { receiptRoutes } from '../../../src/delivery/index.ts';
import type { Storage } from '../../../src/storage/types.ts';
import { forEachDatabase } from '../../helpers/database.ts';
import { openTestHttp } from '../../helpers/http.ts';
import { silent } from '../../helpers/log.ts';
import { startGateway } from '../hostile-gateway.ts';
import { issuer, openBench, rowOf } from '../service-support.ts';

/* From a message that went out by a vendor's preset to the report that the vendor sends, over our routes. */

const signingKey = 'a-signing-key-of-the-account-0123456789';

async function open(t: Test, storage: Storage, preset: string, options: object) {
  const gateway = await startGateway(t, {
    v1: (response) =>
      response.writeHead(201).end('[{"id":"b-1","type":"SENT","status":{"type":"ACCEPTED"}}]'),
    messages: (response) => response.writeHead(201).end('{"id":"mb-1"}'),
    '': (response) => response.writeHead(200).end('<R><MessageId>sns-1</MessageId></R>'),
  });
  const counted: string[] = [];
  const members = { ...options, baseUrl: gateway.url, allowPrivateNetwork: true };
  const provider = { id: 'main', channel: 'sms', preset, from: 'SALLY', [preset]: members };
  const bench = await openBench(t, storage, [provider], silent, ({ name }) => void counted.push(name));
  const { app } = await openTestHttp({ issuer });
  await app.register(async (scope) => receiptRoutes(scope, { receipts: bench.delivery.receipts, issuer }));
  t.teardown(() => app.close());
  const message = await bench.queue({ reference: 'one' });
  t.match(await bench.delivery.send(message), { status: 'accepted' });
  const post = async (url: string, payload: unknown, headers: Record<string, string> = {}) =>
    app.inject({
      ...{ method: 'POST', url, payload: JSON.stringify(payload) },
      headers: { 'content-type': 'application/json', ...headers },
    });
  const state = () => bench.delivery.state(storage.db, 'one');
  return { app, bench, counted, message, post, state };
}

t.test('by a token in the address, for the whole account', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const options = { tokenId: 'k', tokenSecret: 't', callbackToken: 'token-0123456789' };
    const { counted, message, post, state } = await open(t, storage, 'bulksms', options);
    const report = (id: string, userSuppliedId: string, type = 'DELIVERED') => [
      { id, userSuppliedId, type: 'SENT', status: { type, id: `${type}.null` } },
    ];
    const url = '/receipts/main?token=token-0123456789';
    t.equal((await post(url, [])).statusCode, 200, 'tried out by the vendor');
    t.equal((await post('/receipts/main', report('b-1', message.id))).statusCode, 403);
    t.equal((await post(`${url}x`, report('b-1', message.id))).statusCode, 403);
    t.equal(await state(), 'accepted');
    t.equal((await post(url, report('b-2', 'msg_0123456789012345678901'))).statusCode, 200, 'nobody’s');
    t.equal((await post(url, [...report('x', 'x'), ...report('b-1', 'x')])).statusCode, 200);
    t.equal(await state(), 'delivered', 'by the id of the gateway, among others');
    t.equal((await post(url, report('b-1', message.id, 'FAILED'))).statusCode, 200, 'no step back');
    t.equal(await state(), 'delivered');
    t.same(counted, [
      ...['receipt.forged', 'receipt.forged', 'receipt.unknown', 'receipt.unknown', 'receipt.replayed'],
    ]);
    const stop = [{ type: 'RECEIVED', from: '447700900123', body: 'STOP' }];
    t.equal((await post('/inbound/main?token=wrong', stop)).statusCode, 403);
    t.equal((await post('/inbound/main?token=token-0123456789', stop)).statusCode, 200);
    t.equal(counted.at(-1), 'receipt.stop');
  });
});

t.test('by a token over the address, which the vendor adds to', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const options = { accessKey: 'k', signingKey };
    const { app, bench, counted, message, state } = await open(t, storage, 'messagebird', options);
    const path = `/receipts/main?message=${message.id}&s=k1.forged&id=mb-1&status=delivered`;
    const token = (url: string) =>
      new SignJWT({ jti: 'j', url_hash: createHash('sha256').update(url).digest('hex') })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('MessageBird')
        .setNotBefore(bench.now)
        .setExpirationTime(new Date(bench.now.getTime() + 60_000))
        .sign(new TextEncoder().encode(signingKey));
    const get = async (signedFor: string) => {
      const headers = { 'messagebird-signature-jwt': await token(signedFor) };
      return (await app.inject({ method: 'GET', url: path, headers })).statusCode;
    };
    t.equal(await get(`${issuer.origin}${path}&more=1`), 403);
    t.equal((await app.inject({ method: 'GET', url: path })).statusCode, 403, 'without a signature');
    t.equal(await get(`${issuer.origin}${path}`), 200);
    t.equal(await state(), 'delivered');
    t.same(counted, ['receipt.forged', 'receipt.forged']);
  });
});

t.test('by Firehose, which wants an answer', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const account = { region: 'eu-west-1', accessKeyId: 'k', secretAccessKey: 's' };
    const options = { ...account, firehoseAccessKey: 'firehose-0123456789' };
    const { bench, message, post } = await open(t, storage, 'aws-sns', options);
    const entry = {
      notification: { messageId: 'sns-1' },
      delivery: { providerResponse: 'Invalid phone number', priceInUSD: 0.00645 },
      status: 'FAILURE',
    };
    const batch = { logEvents: [{ message: JSON.stringify(entry) }, { message: 'junk' }] };
    const data = Buffer.from(JSON.stringify(batch)).toString('base64');
    const call = { requestId: 'r-1', timestamp: 1, records: [{ data }] };
    const headers = { 'x-amz-firehose-request-id': 'r-1' };
    t.equal((await post('/receipts/main', call, headers)).statusCode, 403);
    const key = { 'x-amz-firehose-access-key': 'firehose-0123456789' };
    const answer = await post('/receipts/main', call, { ...headers, ...key });
    t.equal(answer.statusCode, 200);
    t.match(answer.headers['content-type'], /^application\/json/);
    t.same(answer.json(), { requestId: 'r-1', timestamp: bench.now.getTime() });
    t.match(await rowOf(storage.db, message.id), { receipt: 'failed', failure: 'number' });
  });
});
