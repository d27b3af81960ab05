import { Type } from '../../lib/schema.ts';
import { vonageReceipts } from '../receipts/vonage.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import { spoken, voiceLanguage } from '../vendor/speech.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { checkKeys, keys, vonageAuthorizer } from '../vendor/vonage.ts';
import { callbackOf, digitsOf, postJson } from '../vendor/wire.ts';

const Options = Type.Object({
  applicationId: Type.String({ minLength: 1 }),
  privateKey: Type.String({ minLength: 1, description: 'PEM; of the application' }),
  signatureSecret: keys.signatureSecret,
});

/**
 * Calls that say the text twice, by an NCCO: https://developer.vonage.com/en/api/voice,
 * https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk
 */
export const vonageVoice = vendorPreset(Options, {
  id: 'vonage-voice',
  channels: ['voice'],
  secrets: ['privateKey', 'signatureSecret'],
  origin: () => 'https://api.nexmo.com',
  check(options, from, fault) {
    checkKeys(options, fault);
    if (from === null) fault('from', 'is missing: a call needs the number that makes it');
  },
  authorizer: vonageAuthorizer,
  request(message) {
    const callback = callbackOf(message);
    return postJson('/v1/calls', {
      to: [{ type: 'phone', number: digitsOf(message.to) }],
      from: { type: 'phone', number: digitsOf(message.from ?? '') },
      ncco: [{ action: 'talk', text: spoken(message), language: voiceLanguage(message.locale), loop: 2 }],
      event_url: callback === undefined ? undefined : [callback],
    });
  },
  outcome: (answer, json) =>
    answer.status === 201 ? accepted(textAt(json, '/uuid')) : refused(answer, null, {}),
  receipts: vonageReceipts({
    signatureSecret: ({ options }) => options.signatureSecret ?? null,
    always: true,
  }),
});
