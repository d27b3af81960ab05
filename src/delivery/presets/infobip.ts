import { type Static, Type } from '../../lib/schema.ts';
import type { Price } from '../receipts/contract.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { callbackPassword, checkCallback, provenByCallback } from '../vendor/proofs.ts';
import { allAt, priceAt, vendorReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postJson, senderOf } from '../vendor/wire.ts';

/** Each account has a host of its own: https://xxxxx.api.infobip.com */
const Options = Type.Object({
  apiKey: Type.String({ minLength: 1 }),
  baseUrl: Type.String(),
  ...callbackPassword,
});

/**
 * https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes: groups 0, 1 and 3 are on
 * their way, 2 and 4 cannot be delivered. Of group 5 these are the account's, the sender's or the platform's; the
 * rest is the number's.
 */
const onTheirWay = ['0', '1', '3'];
const ours = ['6', '11', '12', '13', '16', '17', '18', '19', '21', '24'];

/**
 * Delivery reports, by the group of the state and by their errors:
 * https://www.infobip.com/docs/api/channels/sms/sms-messaging/logs-and-status-reports/receive-outbound-sms-message-report,
 * https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes. A subscription can give them
 * Basic authorization; its HMAC is nowhere described: https://www.infobip.com/docs/api/platform/subscriptions-api.
 */
const receipts = vendorReceipts<Static<typeof Options>>({
  states: { 1: 'sent', 2: 'unreachable', 3: 'delivered', 4: 'unreachable', 5: 'blocked' },
  reasons: {
    ...{ EC_UNKNOWN_SUBSCRIBER: 'number', EC_UNIDENTIFIED_SUBSCRIBER: 'number' },
    ...{ EC_ILLEGAL_SUBSCRIBER: 'blocked', EC_CALL_BARRED: 'blocked', EC_SYSTEM_FAILURE: 'gateway' },
  },
  pick: allAt('/results'),
  read: (report) => ({
    gatewayId: textAt(report, '/messageId'),
    // 2: delivered to the operator, which is not yet to the phone.
    state: textAt(report, '/status/id') === '2' ? '1' : textAt(report, '/status/groupId'),
    reason: textAt(report, '/error/name'),
    price: wholePrice(report),
  }),
  reply: (message) => ({ from: textAt(message, '/from'), text: textAt(message, '/text') }),
  proven: provenByCallback,
});

/** A price is of one part, and the whole has `smsCount` of them. */
function wholePrice(report: unknown): Price | null {
  const each = priceAt(report, '/price/pricePerMessage', '/price/currency');
  const parts = Number(textAt(report, '/smsCount') ?? 1);
  if (each === null || !Number.isInteger(parts) || parts < 1 || parts > 100) return null;
  const [whole = '', fraction = ''] = each.amount.split('.');
  const digits = String(BigInt(whole + fraction) * BigInt(parts)).padStart(fraction.length + 1, '0');
  const point = digits.length - fraction.length;
  const amount = fraction === '' ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return { ...each, amount };
}

/** SMS: https://www.infobip.com/docs/api/channels/sms */
export const infobip = vendorPreset(Options, {
  id: 'infobip',
  channels: ['sms'],
  secrets: ['apiKey', 'callbackPassword'],
  origin: ({ baseUrl }) => baseUrl,
  check: (options, _from, fault) => checkCallback(options, fault),
  request: (message, { apiKey }) =>
    postJson(
      '/sms/2/text/advanced',
      {
        messages: [
          {
            from: message.from === null ? undefined : senderOf(message.from),
            destinations: [{ to: digitsOf(message.to) }],
            text: message.text,
            notifyUrl: callbackOf(message),
          },
        ],
      },
      [['Authorization', `App ${apiKey}`]],
    ),
  outcome(answer, json) {
    const group = textAt(json, '/messages/0/status/groupId');
    if (answer.status !== 200 || group === null) return refused(answer, null, {});
    if (onTheirWay.includes(group)) return accepted(textAt(json, '/messages/0/messageId'));
    const code = textAt(json, '/messages/0/status/id') ?? '';
    return failed(answer, group === '5' && ours.includes(code) ? 'unavailable' : 'rejected');
  },
  receipts,
});
