import { type Static, Type } from '../../lib/schema.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { provenByPlivo } from '../vendor/proofs.ts';
import { priceOf, vendorReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postJson, segment, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({
  authId: Type.String({ minLength: 1 }),
  authToken: Type.String({ minLength: 1 }),
});

/**
 * https://www.plivo.com/docs/messaging/api/message/message-status-callbacks, with the codes of
 * https://www.plivo.com/docs/messaging/troubleshooting/error-codes. Accounts are charged in US dollars.
 */
const receipts = vendorReceipts<Static<typeof Options>>({
  states: {
    ...{ sent: 'sent', delivered: 'delivered', read: 'read' },
    ...{ undelivered: 'unreachable', failed: 'gateway', rejected: 'gateway' },
  },
  reasons: {
    ...{ 30: 'blocked', 50: 'number', 70: 'number', 80: 'unreachable', 100: 'blocked', 200: 'blocked' },
    ...{ 20: 'gateway', 40: 'gateway', 90: 'gateway', 300: 'gateway', 900: 'gateway', 910: 'gateway' },
    420: 'unreachable',
  },
  read: (report) => ({
    gatewayId: textAt(report, '/MessageUUID'),
    state: textAt(report, '/Status'),
    reason: textAt(report, '/ErrorCode'),
    price: priceOf(textAt(report, '/TotalAmount'), 'USD'),
  }),
  reply: (message) => ({ from: textAt(message, '/From'), text: textAt(message, '/Text') }),
  proven: (call, { authToken }) => provenByPlivo(call, authToken),
});

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
  receipts,
});
