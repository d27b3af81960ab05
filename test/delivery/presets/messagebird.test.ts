import t from 'tap';
import { callback, common, json, jsonHeaders, load, outcomes, post, wireOf } from './support.ts';

/* https://developers.messagebird.com/api/sms-messaging/, https://developers.messagebird.com/api/#api-errors */

const document = { preset: 'messagebird', from: 'SALLY', messagebird: { accessKey: 'key-1' } };

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const sent = (text: string, coding = '') =>
    post(
      'rest.messagebird.com',
      '/messages',
      ['Authorization: AccessKey key-1', ...jsonHeaders],
      `{"originator":"SALLY","recipients":["447700900123"],"body":"${text}"${coding},"reference":"msg_1","reportUrl":"${callback}"}`,
    );
  t.equal((await wire.send()).raw, sent('Your code is 493817'));
  t.equal((await wire.send({ text: '✉ 493817' })).raw, sent('✉ 493817', ',"datacoding":"unicode"'));
  t.match(load({ ...document, from: undefined }).faults, [{ path: 'from' }]);
});

t.test('what the answers mean', async (t) => {
  const error = (status: number, code: number, parameter: string | null = null) =>
    json(status, { errors: [{ code, description: 'no', parameter }] });
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(201, { id: 'mb-1', recipients: {} }), { status: 'accepted', gatewayId: 'mb-1' }],
    ['bad number', error(422, 10, 'recipient'), { status: 'rejected' }],
    ['bad sender', error(422, 10, 'originator'), { status: 'unavailable' }],
    ['bad key', error(401, 2, 'access_key'), { status: 'unavailable' }],
    ['no credit', error(402, 25), { status: 'unavailable' }],
    ['no credit, as a bad request', error(422, 25), { status: 'unavailable' }],
    ['200 with an error body', error(200, 25), { status: 'unavailable' }],
    ['200 that says nothing', { status: 200 }, { status: 'unknown' }],
  ]);
});
