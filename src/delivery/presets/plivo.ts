import { Type } from '../../lib/schema.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { reportIn, unsignedReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postJson, segment, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({
  authId: Type.String({ minLength: 1 }),
  authToken: Type.String({ minLength: 1 }),
});

/** https://www.plivo.com/docs/messaging/concepts/message-states */
const states = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'unreachable',
  failed: 'gateway',
  rejected: 'gateway',
} as const;

/** The Message API: https://www.plivo.com/docs/messaging/api/message */
export const plivo = vendorPreset(Options, {
  id: 'plivo',
  channels: ['sms'],
  secrets: ['authToken'],
  origin: () => 'https://api.plivo.com',
  check(_options, from, fault) {
    if (from === null) fault('from', 'is missing: the API demands a sender');
  },
  basic: ({ authId, authToken }) => [authId, authToken],
  request: (message, { authId }) =>
    postJson(`/v1/Account/${segment(authId)}/Message/`, {
      src: senderOf(message.from ?? ''),
      dst: digitsOf(message.to),
      text: message.text,
      url: callbackOf(message),
    }),
  outcome(answer, json) {
    const id = textAt(json, '/message_uuid/0');
    if (answer.status === 202) {
      // An answer that says only what was wrong queued nothing.
      return id === null && textAt(json, '/error') !== null ? failed(answer, 'rejected') : accepted(id);
    }
    // The API has no codes: of its words only those about the sender and the account are told apart.
    const ours = /\b(src|source|sender|powerpack|credit|balance|account)\b/i.test(
      textAt(json, '/error') ?? '',
    );
    return answer.status === 400 && ours ? failed(answer, 'unavailable') : refused(answer, null, {});
  },
  receipts: unsignedReceipts(states, reportIn('MessageUUID', 'Status')),
});
