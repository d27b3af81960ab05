import t from 'tap';
import { basic, callback, common, formHeaders, json, outcomes, post, sid, wireOf } from './support.ts';

/* https://www.twilio.com/docs/voice/api/call-resource, https://www.twilio.com/docs/voice/twiml/say */

const document = {
  ...{ preset: 'twilio-voice', channel: 'voice', from: '+15005550006' },
  'twilio-voice': { accountSid: sid, authToken: 'tok' },
};
const path = `/2010-04-01/Accounts/${sid}/Calls.json`;

const twimlOf = (raw: string): string =>
  new URLSearchParams(raw.slice(raw.indexOf('\r\n\r\n') + 4)).get('Twiml') ?? '';

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const say =
    '%3CSay%20language%3D%22en-US%22%3EYour%20code%20is%204%2C%209%2C%203%2C%208%2C%201%2C%207%3C%2FSay%3E';
  t.equal(
    (await wire.send()).raw,
    post(
      'api.twilio.com',
      path,
      [basic(`${sid}:tok`), ...formHeaders],
      `To=%2B447700900123&From=%2B15005550006&Twiml=%3CResponse%3E${say}%3CPause%20length%3D%221%22%2F%3E${say}%3C%2FResponse%3E&StatusCallback=${encodeURIComponent(callback)}`,
    ),
  );
});

t.test('what is said', async (t) => {
  const wire = await wireOf(t, {
    ...document,
    'twilio-voice': { ...document['twilio-voice'], voice: 'Polly.Vicki' },
  });
  const { raw } = await wire.send({ text: 'R&D <x> "493817"', locale: 'de' });
  const say =
    '<Say voice="Polly.Vicki" language="de-DE">R&amp;D &lt;x&gt; &quot;4, 9, 3, 8, 1, 7&quot;</Say>';
  t.equal(twimlOf(raw), `<Response>${say}<Pause length="1"/>${say}</Response>`);
  t.match(twimlOf((await wire.send({ locale: 'pt-BR' })).raw), 'language="pt-BR"');
  const { outcome } = await wire.send({ text: 'a\0b' }, { status: 201 });
  t.match(outcome, { status: 'unavailable', reason: /control/ }, 'XML has no way to write it');
});

t.test('what the answers mean', async (t) => {
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(201, { sid: 'CA1', status: 'queued' }), { status: 'accepted', gatewayId: 'CA1' }],
    ['bad number', json(400, { code: 21211 }), { status: 'rejected' }],
    ['blocked', json(400, { code: 13225 }), { status: 'rejected' }],
    ['country not permitted', json(400, { code: 21215 }), { status: 'unavailable' }],
    ['caller is not verified', json(400, { code: 21210 }), { status: 'unavailable' }],
    ['no credit', json(400, { code: 20005 }), { status: 'unavailable' }],
    ['200 with an error body', json(200, { code: 20003 }), { status: 'unavailable' }],
  ]);
});
