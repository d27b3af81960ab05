// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import { createHash, createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import t from 'tap';
import { isHttp } from '../../../src/delivery/preset.ts';
import type { Call } from '../../../src/delivery/receipts/contract.ts';
import { signWebhook, webhookKey } from '../../../src/lib/standard-webhooks.ts';
import { load, now, presetOf, sid } from './support.ts';

/* Whether the vendor has sent a report, by what each of them has agreed with us. */

const url = 'https://id.example/receipts/main?message=msg_1&s=k1.x';
const query = { message: 'msg_1', s: 'k1.x' };
const call = (changes: Partial<Call> = {}): Call => ({
  ...{ method: 'POST', url, query, headers: {}, body: Buffer.alloc(0), content: {} },
  ...changes,
});

/** Asks the preset as it is loaded. */
function judge(preset: string, options: object) {
  const { faults, prepared } = load({ preset, from: '+15005550006', [preset]: options });
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  const found = presetOf(preset);
  const reader = isHttp(found) ? found.receipts : undefined;
  return async (changes: Partial<Call> = {}, at = now) => reader?.signed(call(changes), prepared, at);
}

const hmac = (key: string, text: string) => createHmac('sha256', key).update(text).digest('base64');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);

t.test('nothing agreed: the address alone tells', async (t) => {
  for (const [preset, options] of [
    ['clickatell', { apiKey: 'k' }],
    ['bulksms', { tokenId: 'k', tokenSecret: 't' }],
    ['infobip', { apiKey: 'k', baseUrl: 'https://i.example' }],
    ['messagebird', { accessKey: 'k' }],
    ['sinch', { servicePlanId: 'k', apiToken: 't' }],
    ['aws-sns', { region: 'eu-west-1', accessKeyId: 'k', secretAccessKey: 's' }],
  ] as const) {
    const signed = judge(preset, options);
    const headers = { authorization: 'Basic OnVuZGVmaW5lZA==', 'x-amz-firehose-access-key': '' };
    t.equal(await signed({ headers, query: { ...query, token: '' } }), null, preset);
  }
});

t.test('a name and a password', async (t) => {
  const callback = { callbackUser: 'gw', callbackPassword: 'pass:word-0123456789' };
  const { faults } = load({ preset: 'clickatell', clickatell: { apiKey: 'k', callbackUser: 'gw' } });
  t.match(faults, [{ path: 'clickatell.callbackPassword' }], 'one without the other');
  for (const signed of [
    judge('clickatell', { apiKey: 'k', ...callback }),
    judge('infobip', { apiKey: 'k', baseUrl: 'https://i.example', ...callback }),
  ]) {
    const basic = (pair: string) => ({ headers: { authorization: `basic ${btoa(pair)}` } });
    t.equal(await signed(basic('gw:pass:word-0123456789')), true);
    t.equal(await signed(basic('gw:pass:word-012345678')), false);
    t.equal(await signed(basic('other:pass:word-0123456789')), false);
    t.equal(await signed({ headers: { authorization: 'Basic %%%' } }), false);
    t.equal(await signed(), false, 'nothing');
  }
});

t.test('a secret in the address, or in a header', async (t) => {
  const bulksms = judge('bulksms', { tokenId: 'k', tokenSecret: 't', callbackToken: 'token-0123456789' });
  t.equal(await bulksms({ query: { token: 'token-0123456789' } }), true);
  t.equal(await bulksms({ query: { token: 'token-012345678' } }), false);
  t.equal(await bulksms(), false);
  const account = { region: 'eu-west-1', accessKeyId: 'k', secretAccessKey: 's' };
  const sns = judge('aws-sns', { ...account, firehoseAccessKey: 'key-0123456789ab' });
  t.equal(await sns({ headers: { 'x-amz-firehose-access-key': 'key-0123456789ab' } }), true);
  t.equal(await sns({ headers: { 'x-amz-firehose-access-key': 'key-0123456789ac' } }), false);
  t.equal(await sns(), false);
});

t.test('Sinch', async (t) => {
  const signed = judge('sinch', { servicePlanId: 'k', apiToken: 't', callbackSecret: 'foo_secret1234' });
  const body = '{"type":"recipient_delivery_report_sms"}';
  const stamp = String(now.getTime() / 1_000 - 2);
  const sent = (changes: Record<string, string> = {}, text = body): Partial<Call> => ({
    body: Buffer.from(text),
    headers: {
      'x-sinch-webhook-signature-timestamp': stamp,
      'x-sinch-webhook-signature-nonce': '01FJA8B4A7BM43YGWSG9GBV067',
      'x-sinch-webhook-signature-algorithm': 'HmacSHA256',
      'x-sinch-webhook-signature': hmac('foo_secret1234', `${body}.01FJA8B4A7BM43YGWSG9GBV067.${stamp}`),
      ...changes,
    },
  });
  t.equal(await signed(sent()), true);
  t.equal(await signed(sent(), later(22 * 3600)), true, 'repeated for most of a day');
  t.equal(await signed(sent(), later(25 * 3600)), false, 'older than any repetition');
  t.equal(await signed(sent(), later(-600)), false, 'from the future');
  t.equal(await signed(sent({}, `${body} `)), false, 'another body');
  t.equal(await signed(sent({ 'x-sinch-webhook-signature-nonce': 'another' })), false);
  t.equal(await signed(sent({ 'x-sinch-webhook-signature-timestamp': 'NaN' })), false);
  t.equal(await signed(sent({ 'x-sinch-webhook-signature': '' })), false);
  t.equal(await signed(), false, 'nothing');
});

t.test('MessageBird', async (t) => {
  const key = '36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb';
  const signed = judge('messagebird', { accessKey: 'k', signingKey: key });
  // https://github.com/messagebird/messagebird-nodejs/blob/master/lib/testdata/webhook-signature-jwt-reference.json
  const reference = new Date('2021-07-05T12:00:00+02:00');
  const token =
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI5M2U1NTAwNi1hMGU4LTQ1MjYtYTE5MC1mYTVmZjAwZWExMTYiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZWNlNmMyNjAiLCJwYXlsb2FkX2hhc2giOiJkZmZkNjAyMWJiMmJkNWIwYWY2NzYyOTA4MDllYzNhNTMxOTFkZDgxYzdmNzBhNGIyODY4OGEzNjIxODI5ODZmIn0._H--TOuYFLpeEH39-rg5E3IHVkjHozBcaKVWPRC5m9I';
  const sent: Partial<Call> = {
    url: 'https://example.com/path?bar=1&foo=2',
    headers: { 'messagebird-signature-jwt': token },
    body: Buffer.from('Hello, World!'),
  };
  const soon = (ms: number) => new Date(reference.getTime() + ms);
  t.equal(await signed(sent, reference), true, "the vendor's own example");
  t.equal(await signed(sent, soon(120_000)), false, 'two minutes later');
  t.equal(await signed(sent, soon(-120_000)), false, 'before it was made');
  t.equal(await signed({ ...sent, url: 'https://example.com/path?foo=2&bar=1' }, reference), false);
  t.equal(await signed({ ...sent, body: Buffer.from('Hello, World') }, reference), false);
  t.equal(await signed({ ...sent, body: Buffer.alloc(0) }, reference), false, 'without its body');
  t.equal(await signed({ ...sent, headers: {} }, reference), false, 'without a token');
  const made = (claims: object, issuer = 'MessageBird', by = key) =>
    new SignJWT({ jti: 'j', url_hash: sha256(url), ...claims })
      .setProtectedHeader({ alg: 'HS512', typ: 'JWT' })
      .setIssuer(issuer)
      .setNotBefore(later(-1))
      .setExpirationTime(later(60))
      .sign(new TextEncoder().encode(by));
  const by = async (made: Promise<string>, body = '') =>
    signed({ method: 'GET', headers: { 'messagebird-signature-jwt': await made }, body: Buffer.from(body) });
  t.equal(await by(made({})), true, 'a GET has no body');
  t.equal(await by(made({}), 'body'), false, 'a body that the token does not name');
  t.equal(await by(made({}, 'Somebody')), false);
  t.equal(await by(made({}, 'MessageBird', 'another')), false);
  t.equal(await by(made({ url_hash: undefined })), false, 'no address named');
  t.equal(await by(made({ url_hash: sha256(`${url}&x=1`) })), false);
});

t.test('Plivo', async (t) => {
  const signed = judge('plivo', { authId: 'k', authToken: 'my_auth_token' });
  const content = { Status: 'delivered', MessageUUID: 'g-1', From: '15005550006' };
  const form = 'From15005550006MessageUUIDg-1Statusdelivered';
  const v3 = (text: string, by = 'my_auth_token') => ({
    'x-plivo-signature-v3': `b3RoZXI=, ${hmac(by, `${text}.n-1`)}`,
    'x-plivo-signature-v3-nonce': 'n-1',
  });
  t.equal(await signed({ content, headers: v3(`${url}.${form}`) }), true);
  t.equal(await signed({ content: { ...content, Status: 'failed' }, headers: v3(`${url}.${form}`) }), false);
  t.equal(await signed({ content, headers: v3(`${url}.${form}`, 'another') }), false);
  t.equal(await signed({ content, url: url.replace('main', 'x'), headers: v3(`${url}.${form}`) }), false);
  const sorted = url.replace('message=msg_1&s=k1.x', 'Status=sent&message=msg_1&s=k1.x');
  const asked = { method: 'GET', url: `${url}&Status=sent`, query: { ...query, Status: 'sent' } } as const;
  t.equal(await signed({ ...asked, headers: v3(sorted) }), true, 'by GET, sorted');
  const [bare = ''] = url.split('?');
  const plain = { content, url: bare, query: {} };
  t.equal(await signed({ ...plain, headers: v3(`${bare}?${form}`) }), true, 'without a query');
  const main = v3(`${url}.${form}`);
  const byMain = {
    'x-plivo-signature-v3-nonce': 'n-1',
    'x-plivo-signature-ma-v3': main['x-plivo-signature-v3'],
  };
  t.equal(await signed({ content, headers: byMain }), true, 'by the main account');
  // https://github.com/plivo/plivo-node/blob/master/test/utils.js
  const v2 = {
    'x-plivo-signature-v2': 'ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc=',
    'x-plivo-signature-v2-nonce': '12345',
  };
  const older = { url: 'https://answer.url?message=msg_1' };
  t.equal(await signed({ ...older, headers: v2 }), null, 'V2 says nothing of query and form');
  t.equal(await signed({ ...older, headers: { ...v2, 'x-plivo-signature-v2-nonce': '12346' } }), false);
  t.equal(await signed({ content, headers: v2 }), false, 'of another address');
  t.equal(
    await signed({ ...older, headers: { ...v2, ...v3('x') } }),
    false,
    'V2 is no way around a wrong V3',
  );
  t.equal(await signed({ content }), false, 'nothing');
  for (const hostile of [null, 7, 'text', [null]])
    t.equal(
      await signed({ content: hostile, headers: v3(url) }),
      hostile === null || hostile === 7,
      'no form',
    );
});

t.test('an endpoint of our own', async (t) => {
  const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
  const signed = judge('webhook', { url: 'https://own.example/', secret });
  const body = '{"type":"message.delivered","data":{"id":"msg_1"}}';
  const key = webhookKey(secret);
  if (key === null) throw new Error('no key');
  const sent = (headers = signWebhook(key, 'evt_1', body, now), text = body): Partial<Call> => ({
    body: Buffer.from(text),
    headers: Object.fromEntries(headers),
  });
  t.equal(await signed(sent()), true);
  const { headers } = sent();
  const rotated = `v1,AAAA v2,x ${headers?.['webhook-signature']}`;
  t.equal(await signed({ ...sent(), headers: { ...headers, 'webhook-signature': rotated } }), true);
  t.equal(await signed(sent(), later(400)), false, 'too old');
  t.equal(await signed(sent(), later(-400)), false, 'from the future');
  t.equal(await signed(sent(undefined, `${body} `)), false, 'another body');
  t.equal(await signed({ ...sent(), headers: { ...headers, 'webhook-id': 'evt_2' } }), false);
  t.equal(await signed({ ...sent(), headers: { ...headers, 'webhook-timestamp': '' } }), false);
  t.equal(await signed(), false, 'unsigned ones are refused, whatever their address');
});

t.test('a secret that turns out empty proves nothing: the provider cannot be used', async (t) => {
  const empty = (preset: string, options: object) =>
    load({ preset, from: '+15005550006', [preset]: options }).faults.map(({ path }) => path);
  const nothing = '${file:/run/secrets/nothing}';
  for (const [preset, options, path] of [
    ['twilio', { accountSid: sid, authToken: nothing }, 'twilio.authToken'],
    ['vonage', { apiKey: 'k', apiSecret: 's', signatureSecret: nothing }, 'vonage.signatureSecret'],
    ['plivo', { authId: 'a', authToken: nothing }, 'plivo.authToken'],
    [
      'clickatell',
      { apiKey: 'k', callbackUser: 'u', callbackPassword: nothing },
      'clickatell.callbackPassword',
    ],
    ['bulksms', { tokenId: 'k', tokenSecret: 't', callbackToken: nothing }, 'bulksms.callbackToken'],
    ['messagebird', { accessKey: 'k', signingKey: nothing }, 'messagebird.signingKey'],
    ['sinch', { servicePlanId: 'p', apiToken: 't', callbackSecret: nothing }, 'sinch.callbackSecret'],
  ] as const) {
    t.same(empty(preset, options), [path], preset);
  }
});

t.test('what a stranger sends in place of a form is no error', async (t) => {
  const content = { a: { toString: 1, valueOf: 1 }, b: ['x'], c: 7 };
  const body = Buffer.from(JSON.stringify(content));
  const nonce = { 'x-plivo-signature-v3-nonce': '1', 'x-plivo-signature-v3': 'x' };
  t.equal(await judge('plivo', { authId: 'a', authToken: 't' })({ content, body, headers: nonce }), false);
  t.equal(await judge('twilio', { accountSid: sid, authToken: 't' })({ content, body }), false);
});
