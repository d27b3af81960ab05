import { Type } from '../../lib/schema.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { reportsBelow, unsignedReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postJson, senderOf } from '../vendor/wire.ts';

/** Each account has a host of its own: https://xxxxx.api.infobip.com */
const Options = Type.Object({ apiKey: Type.String({ minLength: 1 }), baseUrl: Type.String() });

/**
 * https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes: groups 0, 1 and 3 are on
 * their way, 2 and 4 cannot be delivered. Of group 5 these are the account's, the sender's or the platform's; the
 * rest is the number's.
 */
const onTheirWay = ['0', '1', '3'];
const ours = ['6', '11', '12', '13', '16', '17', '18', '19', '21', '24'];

/** Of delivery reports, by the group: https://www.infobip.com/docs/api/channels/sms/sms-messaging/logs-and-status-reports */
const groups = { 1: 'sent', 2: 'unreachable', 3: 'delivered', 4: 'unreachable', 5: 'blocked' } as const;

/** SMS: https://www.infobip.com/docs/api/channels/sms */
export const infobip = vendorPreset(Options, {
  id: 'infobip',
  channels: ['sms'],
  secrets: ['apiKey'],
  origin: ({ baseUrl }) => baseUrl,
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
  receipts: unsignedReceipts(groups, reportsBelow('results', 'messageId', '/status/groupId')),
});
