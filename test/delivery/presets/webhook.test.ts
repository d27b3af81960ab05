import { createHmac, type KeyObject } from 'node:crypto';
import t from 'tap';
import { signWebhook, webhookKey } from '../../../src/lib/standard-webhooks.ts';
import { callback, common, load, outcomes, post, wireOf } from './support.ts';

/* https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const document = { preset: 'webhook', webhook: { url: 'https://own.example/send?x=1', secret } };

t.test('the example of the libraries of Standard Webhooks', async (t) => {
  const key = webhookKey(secret) as KeyObject;
  const headers = signWebhook(
    key,
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    '{"test": 2432232314}',
    new Date(1614265330_000),
  );
  t.same(headers, [
    ['webhook-id', 'msg_p5jXN8AQM9LWM0D4loKWxJek'],
    ['webhook-timestamp', '1614265330'],
    ['webhook-signature', 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='],
  ]);
});

t.test('secrets', async (t) => {
  const of = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64');
  t.equal(webhookKey(`whsec_${of(24)}`)?.symmetricKeySize, 24);
  t.equal(webhookKey(of(64))?.symmetricKeySize, 64);
  for (const wrong of [of(23), of(65), 'whsec_', 'not base64!', '']) t.equal(webhookKey(wrong), null, wrong);
});

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const sent = (from: string, text: string) =>
    `{"type":"message.send","timestamp":"2026-03-01T10:00:00.000Z","data":{"id":"msg_1","channel":"sms","to":"+447700900123","from":${from},"text":${text},"code":"493817","locale":"en","app":{"id":"shop","name":"Demo shop"},"user":{"id":"usr_1"},"callback":"${callback}"}}`;
  const signed = (body: string) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`msg_1.1772359200.${body}`).digest('base64');
    return post(
      'own.example',
      '/send?x=1',
      [
        ...['Content-Type: application/json', 'Accept: application/json', 'webhook-id: msg_1'],
        ...['webhook-timestamp: 1772359200', `webhook-signature: v1,${signature}`],
      ],
      body,
    );
  };
  t.equal((await wire.send()).raw, signed(sent('null', '"Your code is 493817"')));
  t.equal((await wire.send({ from: 'SALLY', text: 'é 💌' })).raw, signed(sent('"SALLY"', '"é 💌"')));
  const mail = await wire.send({ channel: 'email', to: 'ada@home.example', subject: 'Your code' });
  t.match(mail.raw, '"channel":"email","to":"ada@home.example","from":null,"subject":"Your code","text":');
});

t.test('what the answers mean', async (t) => {
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', { status: 204 }, { status: 'accepted' }],
    ['taken, whatever it says', { status: 200, body: '{"error":"ignored"}' }, { status: 'accepted' }],
    ['bad number', { status: 422 }, { status: 'rejected' }],
    ['blocked', { status: 400, body: 'blocked' }, { status: 'rejected' }],
    ['gone', { status: 410 }, { status: 'unavailable' }],
    ['no credit', { status: 402 }, { status: 'unavailable' }],
  ]);
});

t.test('what cannot be used', async (t) => {
  const faults = (options: object) =>
    load({ ...document, webhook: { ...document.webhook, ...options } }).faults.map(({ path }) => path);
  t.same(faults({ secret: 'short' }), ['webhook.secret']);
  t.match(faults({ url: 'ftp://own.example/' }), ['webhook.url']);
  t.match(faults({ url: 'https://user:pass@own.example/' }), ['webhook.url']);
  t.match(faults({ url: 'own.example' }), ['webhook.url']);
});
