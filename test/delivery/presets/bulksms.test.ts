import t from 'tap';
import { basic, common, json, jsonHeaders, outcomes, post, wireOf } from './support.ts';

/* https://www.bulksms.com/developer/json/v1/ */

const document = { preset: 'bulksms', from: 'SALLY', bulksms: { tokenId: 'id', tokenSecret: 'tok' } };

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const sent = (text: string, encoding = '') =>
    post(
      'api.bulksms.com',
      '/v1/messages',
      [basic('id:tok'), ...jsonHeaders],
      `{"from":"SALLY","to":"447700900123","body":"${text}"${encoding},"userSuppliedId":"msg_1"}`,
    );
  t.equal((await wire.send()).raw, sent('Your code is 493817'));
  t.equal((await wire.send({ text: 'ключ 493817' })).raw, sent('ключ 493817', ',"encoding":"UNICODE"'));
  t.notMatch((await wire.send({ from: null })).raw, '"from"', 'the account’s own');
});

t.test('what the answers mean', async (t) => {
  const one = (type: string) => [{ id: 'b-1', type: 'SENT', status: { id: type, type } }];
  const problem = (status: number, type: string) =>
    json(status, { type: `https://developer.bulksms.com/json/v1/errors#${type}`, status });
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(201, one('ACCEPTED')), { status: 'accepted', gatewayId: 'b-1' }],
    ['201 with an error body', json(201, one('FAILED')), { status: 'rejected' }],
    ['bad number', problem(400, 'bad-request'), { status: 'rejected' }],
    ['no credit', problem(403, 'insufficient-credits'), { status: 'unavailable' }],
    ['200 with an error body', problem(200, 'bad-request'), { status: 'unknown' }],
  ]);
});
