import { isGsm7 } from '../../lib/gsm7.ts';
import { Type } from '../../lib/schema.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { digitsOf, postJson } from '../vendor/wire.ts';

const Options = Type.Object({
  tokenId: Type.String({ minLength: 1 }),
  tokenSecret: Type.String({ minLength: 1 }),
});

/** The JSON API, version 1: https://www.bulksms.com/developer/json/v1/ */
export const bulksms = vendorPreset(Options, {
  id: 'bulksms',
  channels: ['sms'],
  secrets: ['tokenSecret'],
  origin: () => 'https://api.bulksms.com',
  basic: ({ tokenId, tokenSecret }) => [tokenId, tokenSecret],
  request: (message) =>
    postJson('/v1/messages', {
      from: message.from ?? undefined,
      to: digitsOf(message.to),
      body: message.text,
      // Without it every character outside GSM 03.38 would arrive as a question mark.
      encoding: isGsm7(message.text) ? undefined : 'UNICODE',
    }),
  outcome(answer, json) {
    if (answer.status !== 201) return refused(answer, null, {});
    return textAt(json, '/0/status/type') === 'FAILED'
      ? failed(answer, 'rejected')
      : accepted(textAt(json, '/0/id'));
  },
});
