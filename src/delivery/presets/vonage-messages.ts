import { Type } from '../../lib/schema.ts';
import { pointed } from '../http/json-pointer.ts';
import type { Dispatch, GatewayAnswer } from '../preset.ts';
import { vonageReceipts } from '../receipts/vonage.ts';
import { EncodingError } from '../template/encode.ts';
import type { Outcome } from '../types.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { checkKeys, keySecrets, keys, vonageAuthorizer, vonageBasic } from '../vendor/vonage.ts';
import { callbackOf, digitsOf, postJson, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({
  ...keys,
  channel: Type.Enum(['sms', 'whatsapp', 'messenger', 'viber_service']),
  recipientAttribute: Type.Optional(
    Type.String({
      pattern: '^\\w+$',
      description: 'For messenger: the user attribute that holds the id of the person there',
    }),
  ),
});

/** The Messages API, version 1: https://developer.vonage.com/en/api/messages */
export const vonageMessages = vendorPreset(Options, {
  id: 'vonage-messages',
  channels: ['sms'],
  secrets: keySecrets,
  origin: () => 'https://api.nexmo.com',
  check(options, from, fault) {
    checkKeys(options, fault);
    if (options.apiKey === undefined && options.applicationId === undefined) {
      fault('applicationId', 'is missing, with privateKey; apiKey and apiSecret can stand in their place');
    }
    if (from === null) fault('from', 'is missing: the API demands a sender');
    if ((options.channel === 'messenger') !== (options.recipientAttribute !== undefined)) {
      fault('recipientAttribute', 'and the channel messenger belong together');
    }
  },
  basic: vonageBasic,
  authorizer: vonageAuthorizer,
  request: (message, { channel, recipientAttribute }) =>
    postJson('/v1/messages', {
      message_type: 'text',
      channel,
      from: senderOf(message.from ?? ''),
      to: recipientAttribute === undefined ? digitsOf(message.to) : idOf(message, recipientAttribute),
      text: message.text,
      client_ref: message.id,
      ...{ webhook_url: callbackOf(message), webhook_version: callbackOf(message) && 'v1' },
    }),
  outcome(answer, json) {
    if (answer.status === 202) return accepted(textAt(json, '/message_uuid'));
    return answer.status === 422 ? invalid(answer, json) : refused(answer, null, {});
  },
  receipts: vonageReceipts({
    signatureSecret: ({ options }) => options.signatureSecret ?? null,
    always: true,
  }),
});

/** Messenger knows people by an id for each page; with whom the page never spoke has none. */
function idOf({ user }: Dispatch, attribute: string): string {
  const id = user?.attributes[attribute];
  if (typeof id === 'string' && id !== '') return id;
  throw new EncodingError(`the user has no ${attribute}`);
}

/** What is wrong with the recipient or the text is wrong for good; a sender is our own mistake. */
function invalid(answer: GatewayAnswer, json: unknown): Outcome {
  const parameters = pointed(json, '/invalid_parameters');
  const names = Array.isArray(parameters) ? parameters.map((one) => textAt(one, '/name')) : [];
  const ours = names.length > 0 && !names.includes('to') && !names.includes('text');
  return failed(answer, ours ? 'unavailable' : 'rejected');
}
