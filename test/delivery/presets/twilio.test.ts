import t from 'tap';
import {
  basic,
  callback,
  common,
  formHeaders,
  json,
  load,
  message,
  outcomes,
  post,
  sid,
  wireOf,
} from './support.ts';

/* https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/api/errors */

const document = { preset: 'twilio', from: '+15005550006', twilio: { accountSid: sid, authToken: 'tok' } };
const path = `/2010-04-01/Accounts/${sid}/Messages.json`;
const report = `StatusCallback=${encodeURIComponent(callback)}`;

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const head = [basic(`${sid}:tok`), ...formHeaders];
  const to = 'To=%2B447700900123&From=%2B15005550006';
  t.equal(
    (await wire.send()).raw,
    post('api.twilio.com', path, head, `${to}&Body=Your%20code%20is%20493817&${report}`),
  );
  t.equal(
    (await wire.send({ text: "a+b & 'c' 💌" })).raw,
    post('api.twilio.com', path, head, `${to}&Body=a%2Bb%20%26%20%27c%27%20%F0%9F%92%8C&${report}`),
  );
  const local = await wire.send({ callback: 'http://localhost:3000/receipts/main' });
  t.notMatch(local.raw, 'StatusCallback', 'one that Twilio would refuse');
});

t.test('other ways to be asked', async (t) => {
  const service = `MG${'0'.repeat(32)}`;
  const key = await wireOf(t, {
    preset: 'twilio',
    twilio: {
      ...{ accountSid: sid, apiKey: 'SK1', apiSecret: 'shh', messagingServiceSid: service },
      ...{ region: 'ie1', edge: 'dublin' },
    },
  });
  t.equal(
    (await key.send({ from: null })).raw,
    post(
      'api.dublin.ie1.twilio.com',
      path,
      [basic('SK1:shh'), ...formHeaders],
      `To=%2B447700900123&MessagingServiceSid=${service}&Body=Your%20code%20is%20493817&${report}`,
    ),
  );
  const whatsapp = await wireOf(t, { ...document, from: 'whatsapp:+14155238886' });
  t.match((await whatsapp.send()).raw, 'To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&');
});

t.test('what the answers mean', async (t) => {
  const refusal = (status: number, code: number) => json(status, { code, message: 'no', status });
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(201, { sid: 'SM1', status: 'queued' }), { status: 'accepted', gatewayId: 'SM1' }],
    ['taken, answer unreadable', { status: 201, body: '{' }, { status: 'accepted', gatewayId: null }],
    ['bad number', refusal(400, 21211), { status: 'rejected' }],
    ['no mobile', refusal(400, 21614), { status: 'rejected' }],
    ['unsubscribed', refusal(400, 21610), { status: 'rejected' }],
    ['a code nobody knows', refusal(400, 29999), { status: 'rejected' }],
    ['country not permitted', refusal(400, 21408), { status: 'unavailable' }],
    ['sender is not ours', refusal(400, 21659), { status: 'unavailable' }],
    ['bad credentials', refusal(401, 20003), { status: 'unavailable' }],
    ['account suspended', refusal(403, 20005), { status: 'unavailable' }],
    ['too many requests', refusal(429, 20429), { status: 'unavailable' }],
    ['200 with an error body', refusal(200, 21211), { status: 'rejected' }],
    ['200 that says nothing', { status: 200, body: '<html>' }, { status: 'unknown' }],
  ]);
});

t.test('no secret and no number in the reason', async (t) => {
  const wire = await wireOf(t, document);
  const echo = `${message.to} ${sid}:tok ${btoa(`${sid}:tok`)} ${message.text}`;
  const { outcome } = await wire.send({}, { status: 400, body: echo });
  t.equal(outcome.status === 'rejected' && outcome.reason, 'status 400: ••• ••• ••• •••');
});

t.test('what is missing', async (t) => {
  const faults = (options: object, from?: string) =>
    load({ preset: 'twilio', ...(from && { from }), twilio: { accountSid: sid, ...options } }).faults.map(
      ({ path }) => path,
    );
  t.same(faults({ authToken: 'x' }), ['from']);
  t.same(faults({}, 'A'), ['twilio.authToken']);
  t.same(faults({ apiKey: 'x' }, 'A'), ['twilio.apiSecret']);
  t.same(faults({ authToken: 'a\nb' }, 'A'), ['twilio.authToken'], 'a header of its own');
  t.same(faults({ authToken: 'x', region: 'x.evil.example/' }, 'A'), ['twilio.region']);
  t.same(faults({ authToken: 'x', timeout: '1h' }, 'A'), ['twilio.timeout']);
  t.same(faults({ authToken: 'x', baseUrl: 'https://h/x' }, 'A'), ['twilio.baseUrl']);
  t.same(load({ preset: 'twilio' }).faults, [{ path: 'twilio', message: 'is missing' }]);
});
