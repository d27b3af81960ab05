import t from 'tap';
import { type HttpPreset, isHttp } from '../../../src/delivery/preset.ts';
import {
  basic,
  common,
  formHeaders,
  json,
  load,
  message,
  outcomes,
  post,
  presetOf,
  sid,
  tools,
  wireOf,
} from './support.ts';

/* https://www.twilio.com/docs/verify/api/verification, …/verification-check, https://www.twilio.com/docs/api/errors */

const verifyServiceSid = `VA${'0'.repeat(32)}`;
const options = { accountSid: sid, authToken: 'tok', verifyServiceSid };
const document = { preset: 'twilio-verify', 'twilio-verify': options };
const service = `/v2/Services/${verifyServiceSid}`;
const head = [basic(`${sid}:tok`), ...formHeaders];

const preset = presetOf('twilio-verify') as HttpPreset;
const prepared = (more: object = {}) => {
  const { faults, prepared } = load({ ...document, 'twilio-verify': { ...options, ...more } });
  t.same(faults, []);
  return prepared;
};

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const path = `${service}/Verifications`;
  t.equal(
    (await wire.send()).raw,
    post('verify.twilio.com', path, head, 'To=%2B447700900123&Channel=sms&Locale=en'),
  );
  const call = await wire.send({ channel: 'voice', locale: 'de' });
  t.equal(call.raw, post('verify.twilio.com', path, head, 'To=%2B447700900123&Channel=call&Locale=de'));
  const mail = await wire.send({ channel: 'email', to: 'ada@example.test' });
  t.match(mail.raw, 'To=ada%40example.test&Channel=email');
  for (const { raw } of [call, mail]) t.notMatch(raw, message.code, 'our code stays here');

  const own = await wireOf(t, {
    preset: 'twilio-verify',
    'twilio-verify': {
      ...{ accountSid: sid, apiKey: 'SK1', apiSecret: 'shh', verifyServiceSid },
      ...{ region: 'ie1', edge: 'dublin', channel: 'whatsapp', customCode: true },
    },
  });
  t.equal(
    (await own.send()).raw,
    post(
      'verify.dublin.ie1.twilio.com',
      path,
      [basic('SK1:shh'), ...formHeaders],
      'To=%2B447700900123&Channel=whatsapp&Locale=en&CustomCode=493817',
    ),
  );
  t.match((await own.send({ channel: 'voice' })).raw, 'Channel=call', 'WhatsApp is for texts');
});

t.test('what carries no code cannot go this way', async (t) => {
  const wire = await wireOf(t, document);
  const { outcome, raw } = await wire.send({ code: null });
  t.match(outcome, { status: 'unavailable', reason: 'Twilio Verify sends codes and nothing else' });
  t.equal(raw, '');
});

const refusal = (status: number, code: number) => json(status, { code, message: 'no', status });

t.test('what the answers mean', async (t) => {
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(201, { sid: 'VE1', status: 'pending' }), { status: 'accepted', gatewayId: 'VE1' }],
    ['taken, answer unreadable', { status: 201, body: '{' }, { status: 'accepted', gatewayId: null }],
    ['no number', refusal(400, 60200), { status: 'rejected' }],
    ['five codes to this number already', refusal(429, 60203), { status: 'rejected' }],
    ['several at once to this number', refusal(429, 60212), { status: 'rejected' }],
    ['a landline', refusal(403, 60205), { status: 'rejected' }],
    ['numbers that are being attacked', refusal(403, 60410), { status: 'rejected' }],
    ['country not permitted', refusal(403, 60605), { status: 'unavailable' }],
    ['too many requests', refusal(429, 20429), { status: 'unavailable' }],
    ['no such service', refusal(404, 20404), { status: 'unavailable' }],
    ['200 that says nothing', { status: 200, body: '<html>' }, { status: 'unknown' }],
  ]);
  const wire = await wireOf(t, document);
  const limited = { ...refusal(429, 60203), headers: { 'retry-after': '600' } };
  t.notMatch((await wire.send({}, limited)).outcome, { retryAfterMs: 600_000 }, 'the number, not Twilio');
});

t.test('a typed code: the question', async (t) => {
  const { keeper } = preset;
  t.same(keeper?.question({ to: '+447700900123', typed: '493817' }, prepared()), {
    method: 'POST',
    path: `${service}/VerificationCheck`,
    headers: head.map((line) => line.split(': ')),
    body: 'To=%2B447700900123&Code=493817',
  });
  t.ok(keeper?.keeps(prepared()));
  t.notOk(keeper?.keeps(prepared({ customCode: true })), 'our code is compared here');
  for (const typed of ['', '123', '12345678901', '1234 5', "1'--", '１２３４']) {
    t.equal(keeper?.question({ to: '+447700900123', typed }, prepared()), null, `not asked: ${typed}`);
  }
  t.equal(keeper?.place(prepared()), `https://verify.twilio.com ${verifyServiceSid}`);
});

t.test('a typed code: the answers', async (t) => {
  const cases: [what: string, status: number, body: unknown, is: string, outcome?: string][] = [
    ['right', 200, { status: 'approved', valid: true }, 'right'],
    ['wrong', 200, { status: 'pending', valid: false }, 'wrong'],
    ...['canceled', 'expired', 'deleted', 'failed', 'max_attempts_reached'].map(
      (status): [string, number, unknown, string] => [status, 200, { status }, 'gone'],
    ),
    ['run out, or used up', 404, { code: 20404 }, 'gone'],
    ['tried too often', 429, { code: 60202 }, 'gone'],
    ['too many requests', 429, { code: 20429 }, 'unchecked', 'unavailable'],
    ['credentials', 401, { code: 20003 }, 'unchecked', 'unavailable'],
    ['refused, and no fault of the gateway', 400, { code: 60200 }, 'unchecked', 'rejected'],
    ['broken', 500, { status: 'approved' }, 'unchecked', 'unknown'],
    ['busy', 503, {}, 'unchecked', 'unavailable'],
    ['a state that nobody knows', 200, { status: 'APPROVED' }, 'unchecked', 'unknown'],
    ['says only that it is valid', 200, { valid: true }, 'unchecked', 'unknown'],
    ['a redirect', 302, { status: 'approved' }, 'unchecked', 'unknown'],
  ];
  for (const [what, status, body, is, outcome] of cases) {
    const answer = { status, headers: {}, body: JSON.stringify(body), complete: true };
    const verdict = preset.keeper?.verdict(answer, prepared());
    t.match(verdict, { is, ...(outcome && { status: outcome }) }, what);
  }
  const cut = { status: 200, headers: {}, body: '{"status":"approved"}', complete: false };
  t.match(preset.keeper?.verdict(cut, prepared()), { is: 'unchecked', status: 'unknown' }, 'an answer cut');
});

t.test('a code of ours that was used', async (t) => {
  const { conversions } = preset;
  t.notOk(conversions?.wanted(prepared()), 'Twilio knows what it has approved itself');
  t.ok(conversions?.wanted(prepared({ customCode: true })));
  t.same(conversions?.report({ gatewayId: 'VE1', at: tools.now }, prepared({ customCode: true })), {
    method: 'POST',
    path: `${service}/Verifications/VE1`,
    headers: head.map((line) => line.split(': ')),
    body: 'Status=approved',
  });
});

t.test('what is missing', async (t) => {
  const faults = (given: object) =>
    load({ preset: 'twilio-verify', 'twilio-verify': { accountSid: sid, verifyServiceSid, ...given } })
      .faults;
  t.match(faults({}), [{ path: 'twilio-verify.authToken' }]);
  t.match(faults({ apiKey: 'x' }), [{ path: 'twilio-verify.apiSecret' }]);
  t.same(faults({ authToken: 'x' }), [], 'no sender: Twilio has its own');
  t.ok(isHttp(preset));
});
