import t from 'tap';
import { basic, callback, common, json, jsonHeaders, load, outcomes, post, wireOf } from './support.ts';

/* https://www.plivo.com/docs/messaging/api/message */

const document = { preset: 'plivo', from: '+15005550006', plivo: { authId: 'MA/1', authToken: 'tok' } };

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  t.equal(
    (await wire.send()).raw,
    post(
      'api.plivo.com',
      '/v1/Account/MA%2F1/Message/',
      [basic('MA/1:tok'), ...jsonHeaders],
      `{"src":"15005550006","dst":"447700900123","text":"Your code is 493817","url":"${callback}"}`,
    ),
  );
  t.match(load({ ...document, from: undefined }).faults, [{ path: 'from' }]);
});

t.test('what the answers mean', async (t) => {
  const taken = { api_id: 'x', message: 'message(s) queued', message_uuid: ['m-1'] };
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(202, taken), { status: 'accepted', gatewayId: 'm-1' }],
    ['taken, answer unreadable', { status: 202, body: '{' }, { status: 'accepted', gatewayId: null }],
    ['bad number', json(400, { error: 'dst 123 is not valid' }), { status: 'rejected' }],
    ['blocked', json(400, { error: 'recipient has opted out' }), { status: 'rejected' }],
    ['bad sender', json(400, { error: 'src parameter is invalid' }), { status: 'unavailable' }],
    ['no credit', json(400, { error: 'insufficient credit' }), { status: 'unavailable' }],
    ['no credit, by status', json(402, { error: 'payment required' }), { status: 'unavailable' }],
    ['202 with an error body', json(202, { error: 'dst is not valid' }), { status: 'rejected' }],
    ['200 with an error body', json(200, { error: 'oops' }), { status: 'unknown' }],
  ]);
});
