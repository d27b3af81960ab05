import { createHash, createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import t from 'tap';
import type { Call } from '../../../src/delivery/receipts/contract.ts';
import { httpReceipts, type PreparedReceipts } from '../../../src/delivery/receipts/http.ts';
import { wishOf } from '../../../src/delivery/receipts/stops.ts';
import { twilioReceipts, twilioSignature } from '../../../src/delivery/receipts/twilio.ts';
import { vonageReceipts } from '../../../src/delivery/receipts/vonage.ts';

const now = new Date('2026-03-01T10:00:00Z');

const call = (changes: Partial<Call> = {}): Call => ({
  ...{ method: 'POST', url: 'https://id.example/receipts/main?message=m&s=x', query: {}, headers: {} },
  ...{ body: Buffer.alloc(0), content: {} },
  ...changes,
});

t.test("Twilio's own example of a signature", async (t) => {
  // https://github.com/twilio/twilio-python/blob/main/tests/unit/test_request_validator.py
  const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
  const content = {
    CallSid: 'CA1234567890ABCDE',
    Digits: '1234',
    From: '+14158675309',
    To: '+18005551212',
    Caller: '+14158675309',
  };
  t.equal(twilioSignature('12345', url, content), 'RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  const reader = twilioReceipts<string | null>((token) => token);
  const headers = { 'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' };
  const signed = (changes: Partial<Call>, token: string | null = '12345') =>
    reader.signed(call({ url, content, headers, ...changes }), token, now);
  t.equal(await signed({}), true);
  t.equal(
    await signed({ url: url.replace('.com/', '.com:443/') }),
    false,
    'over the address as it was given',
  );
  t.equal(await signed({ url: `${url}&more=1` }), false);
  t.equal(await signed({ content: { ...content, Digits: '1235' } }), false);
  t.equal(await signed({ headers: {} }), false, 'without a signature');
  t.equal(await signed({}, '12346'), false, 'by another account');
  t.equal(await signed({}, null), null, 'without the token nobody can tell');
  t.equal(await signed({ content: null }), false, 'no form');
  const ported = twilioSignature('12345', url.replace('.com/', '.com:443/'), content);
  t.equal(await signed({ headers: { 'x-twilio-signature': ported } }), true, 'signed with the port');
});

t.test('what Twilio reports', async (t) => {
  const reader = twilioReceipts<null>(() => null);
  for (const [content, expected] of [
    [{ MessageSid: 'SM1', MessageStatus: 'sent' }, ['SM1', 'sent', null]],
    [{ MessageSid: 'SM1', MessageStatus: 'delivered' }, ['SM1', 'delivered', null]],
    [{ SmsSid: 'SM1', SmsStatus: 'delivered' }, ['SM1', 'delivered', null]],
    [{ MessageSid: 'SM1', MessageStatus: 'read' }, ['SM1', 'read', null]],
    [{ MessageSid: 'SM1', MessageStatus: 'undelivered', ErrorCode: '30005' }, ['SM1', 'failed', 'number']],
    [{ MessageSid: 'SM1', MessageStatus: 'undelivered', ErrorCode: '30007' }, ['SM1', 'failed', 'blocked']],
    [{ MessageSid: 'SM1', MessageStatus: 'failed', ErrorCode: '99999' }, ['SM1', 'failed', 'gateway']],
    [{ CallSid: 'CA1', CallStatus: 'completed' }, ['CA1', 'delivered', null]],
    [{ CallSid: 'CA1', CallStatus: 'no-answer' }, ['CA1', 'failed', 'unreachable']],
    [{ MessageSid: 'SM1', MessageStatus: 'queued' }, undefined],
    [{ MessageSid: 'SM1', MessageStatus: 'constructor' }, undefined],
    [{}, undefined],
  ] as const) {
    const [receipt] = reader.receipts(call({ content }), null);
    t.same(
      receipt && [receipt.gatewayId, receipt.state, receipt.failure],
      expected,
      JSON.stringify(Object.values(content)),
    );
  }
  t.same(reader.replies?.(call({ content: { From: '+447700900123', Body: 'Stop' } }), null), [
    { from: '+447700900123', text: 'Stop' },
  ]);
});

const secret = 'a-signature-secret-of-vonage-0123456789';

async function vonageCall(
  body: string,
  claims: Record<string, unknown> = {},
  key = secret,
  alg = 'HS256',
): Promise<Call> {
  const payload = { payload_hash: createHash('sha256').update(body).digest('hex'), ...claims };
  const token = await new SignJWT({ iss: 'Vonage', jti: 'j1', ...payload })
    .setProtectedHeader({ alg, typ: 'JWT' })
    .setIssuedAt(typeof claims.iat === 'number' ? claims.iat : now.getTime() / 1000 - 2)
    .sign(new TextEncoder().encode(key));
  return call({
    headers: { authorization: `Bearer ${token}` },
    body: Buffer.from(body),
    content: body === '' ? {} : JSON.parse(body),
  });
}

t.test('signed webhooks of Vonage', async (t) => {
  const reader = (always: boolean) =>
    vonageReceipts<string | null>({ always, signatureSecret: (given) => given });
  const body = '{"message_uuid":"u1","status":"delivered"}';
  const signed = async (one: Promise<Call> | Call, given: string | null = secret) =>
    reader(true).signed(await one, given, now);
  t.equal(await signed(vonageCall(body)), true);
  t.equal(await signed(vonageCall(body, {}, 'another-secret-of-somebody-0123456789')), false);
  t.equal(await signed(vonageCall(body, { payload_hash: 'ab' })), false, 'another body');
  t.equal(await signed(vonageCall(body, { payload_hash: undefined })), false, 'no body named');
  t.equal(await signed(vonageCall(body, { iat: now.getTime() / 1000 - 600 })), false, 'ten minutes old');
  t.equal(await signed(vonageCall(body, {}, secret, 'HS512')), false, 'another algorithm');
  const unsigned = [{ alg: 'none' }, { iat: now.getTime() / 1000 }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  t.equal(await signed(call({ headers: { authorization: `Bearer ${unsigned}.` } })), false, 'alg none');
  t.equal(await signed(call()), false, 'no token');
  const asked = { ...(await vonageCall('')), method: 'GET' as const, query: { status: 'delivered' } };
  t.equal(await signed(asked), null, 'by GET it says nothing about what stands in the address');
  t.equal(await signed({ ...asked, headers: {} }), false);
  t.equal(await signed(vonageCall(body), null), null, 'no secret given: nobody can tell');
  t.equal(await reader(false).signed(call(), secret, now), null, 'the SMS API sends none');
});

t.test('what Vonage reports', async (t) => {
  const reader = vonageReceipts<null>({ always: true, signatureSecret: () => null });
  for (const [content, expected] of [
    [{ messageId: '0A', status: 'delivered', 'client-ref': 'msg_1' }, ['msg_1', '0A', 'delivered', null]],
    [{ messageId: '0A', status: 'failed', 'err-code': '9' }, [null, '0A', 'failed', 'number']],
    [{ messageId: '0A', status: 'rejected', 'err-code': '6' }, [null, '0A', 'failed', 'blocked']],
    [{ messageId: '0A', status: 'expired', 'err-code': '1' }, [null, '0A', 'failed', 'unreachable']],
    [{ messageId: '0A', status: 'buffered' }, [null, '0A', 'sent', null]],
    [{ message_uuid: 'u', status: 'read', client_ref: 'msg_1' }, ['msg_1', 'u', 'read', null]],
    [{ message_uuid: 'u', status: 'submitted' }, [null, 'u', 'sent', null]],
    [{ uuid: 'c', status: 'completed' }, [null, 'c', 'delivered', null]],
    [{ uuid: 'c', status: 'unanswered' }, [null, 'c', 'failed', 'unreachable']],
    [{ uuid: 'c', status: 'started' }, undefined],
    [[], undefined],
    ['text', undefined],
    [null, undefined],
    [{ status: { delivered: true } }, undefined],
  ] as const) {
    const [receipt] = reader.receipts(call({ content }), null);
    t.same(
      receipt && [receipt.messageId, receipt.gatewayId, receipt.state, receipt.failure],
      expected,
      JSON.stringify(content),
    );
  }
  for (const [content, price] of [
    [
      { messageId: '0A', status: 'delivered', price: '0.03330000' },
      { amount: '0.03330000', currency: 'EUR' },
    ],
    [
      { message_uuid: 'u', status: 'submitted', usage: { price: '0.0333', currency: 'EUR' } },
      { amount: '0.0333', currency: 'EUR' },
    ],
    [{ messageId: '0A', status: 'delivered', price: '-1' }, undefined],
    [{ messageId: '0A', status: 'delivered', price: '1e9', usage: 'free' }, undefined],
  ] as const) {
    t.same(reader.receipts(call({ content }), null)[0]?.price, price, JSON.stringify(content));
  }
  const query = { messageId: '0A', status: 'delivered' };
  t.match(reader.receipts(call({ method: 'GET', query }), null), [{ gatewayId: '0A' }], 'by GET');
  t.same(reader.replies?.(call({ content: { msisdn: '447700900123', text: 'STOP' } }), null), [
    { from: '447700900123', text: 'STOP' },
  ]);
});

t.test('words that stop', async (t) => {
  for (const [text, expected] of [
    ['STOP', 'stop'],
    [' stop. ', 'stop'],
    ['Stop all', 'stop'],
    ['“Unsubscribe”', 'stop'],
    ['START', 'start'],
    ['unstop!', 'start'],
    ['Please do not stop', null],
    ['123456', null],
    ['', null],
  ] as const) {
    t.equal(wishOf(text), expected, text);
  }
});

t.test('a signature over the body says nothing about the address beside it', async (t) => {
  const signature = { secret: 'hook', header: 'X-Signature', over: 'body' as const };
  const replies = { from: 'from', text: 'text' };
  const document = {
    signature,
    id: 'id',
    message: 'ref',
    state: 'status',
    states: { failed: ['no'] },
    replies,
  };
  const receipts: PreparedReceipts = {
    ...{ document, states: new Map([['no', 'failed' as const]]), failures: new Map(), secret: 's' },
  };
  const prepared = { receipts };
  const sent = (text: string, query: Record<string, string>, method: Call['method'] = 'POST') => {
    const body = Buffer.from(text);
    const proof = createHmac('sha256', 's').update(body).digest('hex');
    const content = Object.fromEntries(new URLSearchParams(text));
    return call({ ...{ body, content, method, query }, headers: { 'x-signature': proof } });
  };
  const query = { status: 'no', ref: 'msg_of_another', from: '+447700900123', text: 'STOP' };
  const overheard = sent('id=gw-1', query);
  t.equal(httpReceipts.signed(overheard, prepared, now), true);
  t.same(httpReceipts.receipts(overheard, prepared), [], 'the state is not taken from the address');
  t.match(httpReceipts.receipts(sent('id=gw-1&status=no', query), prepared), [{ messageId: null }]);
  t.same(httpReceipts.replies?.(sent('id=gw-1&status=no', query), prepared), [], 'nor a reply');
  for (const method of ['GET', 'POST'] as const) {
    const empty = sent('', query, method);
    t.equal(
      httpReceipts.signed(empty, prepared, now),
      null,
      `${method} without a body: the address has to tell`,
    );
    t.equal(httpReceipts.signed({ ...empty, headers: {} }, prepared, now), false);
  }
});
