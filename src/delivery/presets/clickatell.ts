import { type Static, Type } from '../../lib/schema.ts';
import { pointed } from '../http/json-pointer.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { callbackPassword, checkCallback, provenByCallback } from '../vendor/proofs.ts';
import { vendorReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { digitsOf, postJson, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({ apiKey: Type.String({ minLength: 1 }), ...callbackPassword });

/**
 * Callbacks are set up for the whole account, with Basic authorization:
 * https://docs.clickatell.com/archive/channels/advanced-message-send-archived/callback-push-status-and-cost-notification/.
 * The states have two sets of names: those of the platform, and of its newer API,
 * https://docs.clickatell.com/channels/one-api/one-api-message-status-table/.
 */
const receipts = vendorReceipts<Static<typeof Options>>({
  states: {
    ...{ DELIVERED_TO_GATEWAY: 'sent', RECEIVED_BY_RECIPIENT: 'delivered' },
    ...{
      ERROR_WITH_MESSAGE: 'gateway',
      ERROR_DELIVERING_MESSAGE: 'unreachable',
      MESSAGE_EXPIRED: 'unreachable',
    },
    ...{ OUT_OF_CREDIT: 'gateway', MAXIMUM_MT_LIMIT_EXCEEDED: 'gateway' },
    ...{ SENT_TO_SUPPLIER: 'sent', DEVICE_ACK: 'delivered', READ: 'read' },
    ...{ EXPIRED: 'unreachable', DELIVERY_FAILURE: 'unreachable', RECIPIENT_DOES_NOT_EXIST: 'number' },
    ...{ STOPPED_BY_USER: 'gateway', STOPPED_BY_ADMIN: 'gateway', INSUFFICIENT_ACCOUNT_BALANCE: 'gateway' },
    ...{ VOLUME_LIMIT: 'gateway', VOLUME_LIMIT_DAILY: 'gateway', VOLUME_LIMIT_MONTHLY: 'gateway' },
    ROUTING_ERROR: 'gateway',
  },
  read: (report) => ({
    messageId: textAt(report, '/clientMessageId'),
    gatewayId: textAt(report, '/messageId'),
    state: textAt(report, '/status'),
  }),
  reply: (message) => ({ from: textAt(message, '/fromNumber'), text: textAt(message, '/text') }),
  proven: provenByCallback,
});

/** 105: not a number; 121, 122: blocked, or its owner wants no messages. What else is refused is our account's. */
const codes = { rejected: ['105', '121', '122'] };

/**
 * The Platform API: https://docs.clickatell.com/channels/sms-channels/sms-api-reference/. The key stands bare in
 * `Authorization`.
 */
export const clickatell = vendorPreset(Options, {
  id: 'clickatell',
  channels: ['sms'],
  secrets: ['apiKey', 'callbackPassword'],
  origin: () => 'https://platform.clickatell.com',
  check: (options, _from, fault) => checkCallback(options, fault),
  request: (message, { apiKey }) =>
    postJson(
      '/messages',
      {
        content: message.text,
        to: [digitsOf(message.to)],
        from: message.from === null ? undefined : senderOf(message.from),
        clientMessageId: message.id,
      },
      [['Authorization', apiKey]],
    ),
  outcome(answer, json) {
    const taken = pointed(json, '/messages/0/accepted');
    if (taken === true) return accepted(textAt(json, '/messages/0/apiMessageId'));
    if (taken !== false) return refused(answer, null, {});
    // Older answers have the code beside the error, newer ones in it.
    const code = textAt(json, '/messages/0/errorCode') ?? textAt(json, '/messages/0/error/code');
    return failed(answer, codes.rejected.includes(code ?? '') ? 'rejected' : 'unavailable');
  },
  receipts,
});
