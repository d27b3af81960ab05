import t from 'tap';
import type { HttpPreset } from '../../../src/delivery/preset.ts';
import { basic, formHeaders, load, presetOf, sid, wireOf } from './support.ts';

/* Which codes were used, as vendors want to hear it. Twilio Verify stands in its own file. */

const at = new Date('2026-03-01T10:20:30.456Z');
const converted = (id: string, options: object) => {
  const { faults, prepared } = load({ preset: id, from: '+15005550006', [id]: options });
  t.same(faults, []);
  const { conversions } = presetOf(id) as HttpPreset;
  if (conversions === undefined) throw new Error(id);
  return {
    wanted: conversions.wanted(prepared),
    origin: conversions.origin(prepared),
    request: conversions.report({ gatewayId: 'g/1', at }, prepared),
    transport: (presetOf(id) as HttpPreset).transport(prepared),
  };
};
const lines = (all: string[]) => all.map((line) => line.split(': '));

t.test('Twilio, https://www.twilio.com/docs/messaging/api/message-feedback-resource', async (t) => {
  const account = { accountSid: sid, authToken: 'tok' };
  t.notOk(converted('twilio', account).wanted, 'only where it is asked for');
  const told = converted('twilio', { ...account, feedback: true });
  t.match(told, { wanted: true, origin: 'https://api.twilio.com' });
  t.same(told.request, {
    method: 'POST',
    path: `/2010-04-01/Accounts/${sid}/Messages/g%2F1/Feedback.json`,
    headers: lines([basic(`${sid}:tok`), ...formHeaders]),
    body: 'Outcome=confirmed',
  });
  const bytes = async (more: object) =>
    (await wireOf(t, { preset: 'twilio', from: '+15005550006', twilio: { ...account, ...more } })).send();
  t.match((await bytes({ feedback: true })).raw, '&ProvideFeedback=true&');
  t.notMatch((await bytes({})).raw, 'ProvideFeedback');
});

t.test('Vonage, https://developer.vonage.com/en/api/conversion', async (t) => {
  const account = { apiKey: 'k', apiSecret: 's&t' };
  t.match(converted('vonage', account), { wanted: false, transport: { tokenOrigin: undefined } });
  const told = converted('vonage', { ...account, conversions: true });
  t.match(told, { wanted: true, origin: 'https://api.nexmo.com' });
  t.equal(told.transport.tokenOrigin, 'https://api.nexmo.com', 'a host that gets the secret, too');
  t.same(told.request, {
    method: 'POST',
    path: '/conversions/sms',
    headers: lines(formHeaders),
    body: 'api_key=k&api_secret=s%26t&message-id=g%2F1&delivered=true&timestamp=2026-03-01%2010%3A20%3A30',
  });
  const own = converted('vonage', { ...account, conversions: true, baseUrl: 'https://relay.example' });
  t.equal(own.origin, 'https://relay.example', 'a host that forwards gets them');
});
