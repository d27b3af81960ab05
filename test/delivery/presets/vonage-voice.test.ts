import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { callback, common, json, jsonHeaders, outcomes, post, wireOf } from './support.ts';

/* https://developer.vonage.com/en/api/voice, https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk */

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const document = {
  ...{ preset: 'vonage-voice', channel: 'voice', from: '+15005550006' },
  'vonage-voice': { applicationId: 'app-1', privateKey },
};

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const { raw } = await wire.send({ locale: 'fr' });
  const token = /\r\nAuthorization: Bearer ([\w.-]+)\r\n/.exec(raw)?.[1];
  t.equal(
    raw,
    post(
      'api.nexmo.com',
      '/v1/calls',
      [...jsonHeaders, `Authorization: Bearer ${token}`],
      `{"to":[{"type":"phone","number":"447700900123"}],"from":{"type":"phone","number":"15005550006"},"ncco":[{"action":"talk","text":"Your code is 4, 9, 3, 8, 1, 7","language":"fr-FR","loop":2}],"event_url":["${callback}"]}`,
    ),
  );
});

t.test('what the answers mean', async (t) => {
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(201, { uuid: 'c-1', status: 'started' }), { status: 'accepted', gatewayId: 'c-1' }],
    ['bad number', json(400, { title: 'Bad Request' }), { status: 'rejected' }],
    ['no credit', json(402, {}), { status: 'unavailable' }],
    ['200 with an error body', json(200, { error_title: 'Bad Request' }), { status: 'unknown' }],
  ]);
});
