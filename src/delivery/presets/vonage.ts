import { isGsm7 } from '../../lib/gsm7.ts';
import { Type } from '../../lib/schema.ts';
import type { GatewayAnswer } from '../preset.ts';
import { vonageReceipts } from '../receipts/vonage.ts';
import type { Outcome } from '../types.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { isOn, vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postForm, postJson, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({
  apiKey: Type.String({ minLength: 1 }),
  apiSecret: Type.String({ minLength: 1 }),
  signatureSecret: Type.Optional(Type.String({ minLength: 1, description: 'Receipts are checked with it' })),
  conversions: Type.Optional(
    Type.Boolean({
      description: 'Tell Vonage which codes were used; its support switches that on for an account',
    }),
  ),
});

/**
 * https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms: 5 is an error inside the platform, and how
 * far the message came before it nobody says.
 */
const codes = {
  rejected: ['3', '6', '7', '12', '33'],
  unavailable: ['1', '2', '4', '8', '9', '10', '11', '14', '15', '22', '23', '29', '32'],
  unknown: ['5'],
};

/** The SMS API: https://developer.vonage.com/en/api/sms */
export const vonage = vendorPreset(Options, {
  id: 'vonage',
  channels: ['sms'],
  secrets: ['apiSecret', 'signatureSecret'],
  origin: () => 'https://rest.nexmo.com',
  check(_options, from, fault) {
    if (from === null) fault('from', 'is missing: the API demands a sender');
  },
  basic: ({ apiKey, apiSecret }) => [apiKey, apiSecret],
  request: (message) =>
    postJson('/sms/json', {
      from: senderOf(message.from ?? ''),
      to: digitsOf(message.to),
      text: message.text,
      type: isGsm7(message.text) ? undefined : 'unicode',
      'client-ref': message.id,
      callback: callbackOf(message),
    }),
  outcome(answer, json) {
    const parts = (json as { messages?: unknown } | undefined)?.messages;
    if (answer.status !== 200 || !Array.isArray(parts) || parts.length === 0)
      return refused(answer, null, {});
    return ofParts(answer, parts);
  },
  // https://developer.vonage.com/en/api/conversion: it knows no other authorization than these two members.
  conversions: {
    wanted: ({ conversions }) => isOn(conversions),
    origin: () => 'https://api.nexmo.com',
    report: ({ gatewayId, at }, { apiKey, apiSecret }) =>
      postForm('/conversions/sms', [
        ['api_key', apiKey],
        ['api_secret', apiSecret],
        ['message-id', gatewayId],
        ['delivered', 'true'],
        ['timestamp', at.toISOString().slice(0, 19).replace('T', ' ')],
      ]),
  },
  receipts: vonageReceipts({
    signatureSecret: ({ options }) => options.signatureSecret ?? null,
    always: false,
  }),
});

/** A long text goes in several parts, each with a status of its own. Once one has gone nothing may be sent again. */
function ofParts(answer: GatewayAnswer, parts: unknown[]): Outcome {
  const states = parts.map((part) => textAt(part, '/status'));
  if (states.every((state) => state === '0')) return accepted(textAt(parts[0], '/message-id'));
  if (states.includes('0')) return failed(answer, 'unknown');
  return refused(answer, states[0] ?? null, codes);
}
