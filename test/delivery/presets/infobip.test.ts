import t from 'tap';
import { type Case, callback, common, json, jsonHeaders, load, outcomes, post, wireOf } from './support.ts';

/* https://www.infobip.com/docs/api/channels/sms, https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes */

const document = {
  ...{ preset: 'infobip', from: 'SALLY' },
  infobip: { apiKey: 'key-1', baseUrl: 'https://xyz.api.infobip.com' },
};

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  t.equal(
    (await wire.send()).raw,
    post(
      'xyz.api.infobip.com',
      '/sms/2/text/advanced',
      ['Authorization: App key-1', ...jsonHeaders],
      `{"messages":[{"from":"SALLY","destinations":[{"to":"447700900123"}],"text":"Your code is 493817","notifyUrl":"${callback}"}]}`,
    ),
  );
  const elsewhere = { ...document, infobip: { apiKey: 'k', baseUrl: 'xyz.api.infobip.com' } };
  t.match(load(elsewhere).faults, [{ path: 'infobip.baseUrl' }], 'a host without a scheme');
});

t.test('what the answers mean', async (t) => {
  const said = (groupId: number, id: number) =>
    json(200, { messages: [{ messageId: 'i-1', status: { groupId, id, name: 'X' } }] });
  const ours = [6, 11, 12, 13, 16, 17, 18, 19, 21, 24];
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['pending', said(1, 26), { status: 'accepted', gatewayId: 'i-1' }],
    ['delivered', said(3, 5), { status: 'accepted' }],
    ['undeliverable', said(2, 9), { status: 'rejected' }],
    ['expired', said(4, 15), { status: 'rejected' }],
    ['bad number', said(5, 52), { status: 'rejected' }],
    ['blocked', said(5, 14), { status: 'rejected' }],
    ['wants no messages', said(5, 10), { status: 'rejected' }],
    ...ours.map((id): Case => [`refused for our account, ${id}`, said(5, id), { status: 'unavailable' }]),
    ['malformed', json(400, { requestError: {} }), { status: 'rejected' }],
    ['200 that says nothing', json(200, { messages: [] }), { status: 'unknown' }],
  ]);
});
