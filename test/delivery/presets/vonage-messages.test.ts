import { generateKeyPairSync } from 'node:crypto';
import { importSPKI, jwtVerify } from 'jose';
import t from 'tap';
import { basic, callback, common, json, jsonHeaders, load, now, outcomes, post, wireOf } from './support.ts';

/* https://developer.vonage.com/en/api/messages */

const pem = { type: 'pkcs8', format: 'pem' } as const;
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: pem,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const documentFor = (options: object, from = 'SALLY') => ({
  ...{ preset: 'vonage-messages', from },
  'vonage-messages': { apiKey: 'k', apiSecret: 's', ...options },
});
const body = (channel: string, to: string) =>
  `{"message_type":"text","channel":"${channel}","from":"SALLY","to":"${to}","text":"Your code is 493817","client_ref":"msg_1","webhook_url":"${callback}","webhook_version":"v1"}`;

t.test('the bytes, on each channel', async (t) => {
  for (const channel of ['sms', 'whatsapp', 'viber_service']) {
    const wire = await wireOf(t, documentFor({ channel }));
    const expected = body(channel, '447700900123');
    t.equal(
      (await wire.send()).raw,
      post('api.nexmo.com', '/v1/messages', [basic('k:s'), ...jsonHeaders], expected),
    );
  }
  const messenger = await wireOf(t, documentFor({ channel: 'messenger', recipientAttribute: 'psid' }));
  t.equal(
    (await messenger.send({ user: { id: 'usr_1', attributes: { psid: '9876' } } })).raw,
    post('api.nexmo.com', '/v1/messages', [basic('k:s'), ...jsonHeaders], body('messenger', '9876')),
  );
  const { outcome } = await messenger.send({ user: { id: 'usr_1', attributes: {} } }, json(202, {}));
  t.match(
    outcome,
    { status: 'unavailable', reason: 'the user has no psid' },
    'the next provider may reach them',
  );
});

t.test('an application signs', async (t) => {
  const options = { channel: 'sms', applicationId: 'app-1', privateKey };
  const wire = await wireOf(t, { ...documentFor({}), 'vonage-messages': options });
  const { raw, outcome } = await wire.send({}, { status: 400, body: 'you sent what you sent' });
  const token = /\r\nAuthorization: Bearer (\S+)\r\n/.exec(raw)?.[1] ?? '';
  const { payload, protectedHeader } = await jwtVerify(token, await importSPKI(publicKey, 'RS256'), {
    currentDate: now,
  });
  t.same(protectedHeader, { alg: 'RS256', typ: 'JWT' });
  const iat = now.getTime() / 1_000;
  t.match(payload, { application_id: 'app-1', iat, exp: iat + 300, jti: /./ });
  t.equal(outcome.status, 'rejected');
  const head = [...jsonHeaders, `Authorization: Bearer ${token}`];
  t.equal(raw, post('api.nexmo.com', '/v1/messages', head, body('sms', '447700900123')));
});

t.test('what the answers mean', async (t) => {
  const invalid = (...names: string[]) =>
    json(422, { title: 'Invalid', invalid_parameters: names.map((name) => ({ name, reason: 'no' })) });
  await outcomes(t, await wireOf(t, documentFor({ channel: 'sms' })), [
    ...common,
    ['taken', json(202, { message_uuid: 'u-1' }), { status: 'accepted', gatewayId: 'u-1' }],
    ['bad number', invalid('to'), { status: 'rejected' }],
    ['bad text', invalid('text'), { status: 'rejected' }],
    ['bad sender', invalid('from'), { status: 'unavailable' }],
    ['unprocessable', { status: 422 }, { status: 'rejected' }],
    ['no credit', json(402, { title: 'Low balance' }), { status: 'unavailable' }],
    ['not allowed', json(403, { title: 'Forbidden' }), { status: 'unavailable' }],
    ['200 with an error body', json(200, { title: 'Invalid' }), { status: 'unknown' }],
  ]);
});

t.test('what is missing', async (t) => {
  const faults = (options: object) =>
    load({ ...documentFor({}), 'vonage-messages': options }).faults.map(({ path }) => path);
  t.same(faults({ channel: 'sms' }), ['vonage-messages.applicationId']);
  t.same(faults({ channel: 'sms', apiKey: 'k' }), ['vonage-messages.apiSecret']);
  t.same(faults({ channel: 'sms', applicationId: 'a', privateKey: 'x' }), ['vonage-messages.privateKey']);
  t.same(faults({ channel: 'messenger', apiKey: 'k', apiSecret: 's' }), [
    'vonage-messages.recipientAttribute',
  ]);
});
