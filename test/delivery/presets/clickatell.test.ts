import t from 'tap';
import { common, json, jsonHeaders, outcomes, post, wireOf } from './support.ts';

/* https://docs.clickatell.com/channels/sms-channels/sms-api-reference/ */

const document = { preset: 'clickatell', clickatell: { apiKey: 'k-1==' } };

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const head = ['Authorization: k-1==', ...jsonHeaders];
  const sent = (from: string) =>
    `{"content":"Your code is 493817","to":["447700900123"]${from},"clientMessageId":"msg_1"}`;
  t.equal((await wire.send()).raw, post('platform.clickatell.com', '/messages', head, sent('')));
  t.equal(
    (await wire.send({ from: '+15005550006' })).raw,
    post('platform.clickatell.com', '/messages', head, sent(',"from":"15005550006"')),
  );
});

t.test('what the answers mean', async (t) => {
  const one = (part: object) => json(202, { messages: [{ to: '447700900123', ...part }], error: null });
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', one({ apiMessageId: 'a-1', accepted: true }), { status: 'accepted', gatewayId: 'a-1' }],
    ['taken, 207', { ...one({ apiMessageId: 'a-1', accepted: true }), status: 207 }, { status: 'accepted' }],
    ['bad number', one({ accepted: false, errorCode: '105', error: 'Invalid' }), { status: 'rejected' }],
    ['opted out', one({ accepted: false, error: { code: 122 } }), { status: 'rejected' }],
    ['no credit', one({ accepted: false, error: { code: 301 } }), { status: 'unavailable' }],
    ['no route', one({ accepted: false, errorCode: 114 }), { status: 'unavailable' }],
    ['no credit, by status', json(402, { error: 'Payment Required' }), { status: 'unavailable' }],
    ['malformed', json(400, { messages: [], error: 'Invalid' }), { status: 'rejected' }],
    ['202 that says nothing', { status: 202, body: '' }, { status: 'unknown' }],
    ['200 with an error body', json(200, { error: 'Invalid' }), { status: 'unknown' }],
  ]);
});
