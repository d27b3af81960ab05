import t from 'tap';
import {
  basic,
  type Case,
  callback,
  common,
  json,
  jsonHeaders,
  load,
  outcomes,
  post,
  wireOf,
} from './support.ts';

/* https://developer.vonage.com/en/api/sms, https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms */

const document = { preset: 'vonage', from: 'SALLY', vonage: { apiKey: 'k', apiSecret: 's' } };

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const sent = (text: string, type = '') =>
    post(
      'rest.nexmo.com',
      '/sms/json',
      [basic('k:s'), ...jsonHeaders],
      `{"from":"SALLY","to":"447700900123","text":${text}${type},"client-ref":"msg_1","callback":"${callback}"}`,
    );
  t.equal((await wire.send()).raw, sent('"Your code is 493817"'));
  t.equal((await wire.send({ text: 'a "b"\n€' })).raw, sent(String.raw`"a \"b\"\n€"`), 'GSM 03.38');
  t.equal((await wire.send({ text: 'שלום 💌' })).raw, sent('"שלום 💌"', ',"type":"unicode"'));
  t.match((await wire.send({ from: '+15005550006' })).raw, '{"from":"15005550006"');
});

t.test('what the answers mean', async (t) => {
  const parts = (...states: string[]) =>
    json(200, {
      'message-count': String(states.length),
      messages: states.map((status, index) => ({ status, 'message-id': `0A${index}`, 'error-text': 'why' })),
    });
  const rejected = ['3', '6', '7', '12', '33'];
  const unavailable = ['1', '2', '4', '8', '9', '10', '11', '14', '15', '22', '23', '29', '32'];
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', parts('0'), { status: 'accepted', gatewayId: '0A0' }],
    ['taken, both parts', parts('0', '0'), { status: 'accepted', gatewayId: '0A0' }],
    ['one of two parts', parts('0', '1'), { status: 'unknown' }],
    ['an error inside', parts('5'), { status: 'unknown' }],
    ['a code nobody knows', parts('99'), { status: 'unknown' }],
    ['no parts', parts(), { status: 'unknown' }],
    ['no JSON', { status: 200, body: '<html>' }, { status: 'unknown' }],
    ...rejected.map((code): Case => [`code ${code}`, parts(code), { status: 'rejected' }]),
    ...unavailable.map((code): Case => [`code ${code}`, parts(code), { status: 'unavailable' }]),
  ]);
});

t.test('a sender is demanded', async (t) => {
  t.match(load({ preset: 'vonage', vonage: document.vonage }).faults, [{ path: 'from' }]);
});
