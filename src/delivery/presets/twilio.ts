import { Type } from '../../lib/schema.ts';
import { twilioReceipts } from '../receipts/twilio.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import * as twilioApi from '../vendor/twilio.ts';
import { vendorPreset } from '../vendor/vendor.ts';

const Options = Type.Object({
  ...twilioApi.account,
  messagingServiceSid: Type.Optional(
    Type.String({ pattern: '^MG[0-9A-Za-z]{32}$', description: 'Chooses the sender when from is left out' }),
  ),
});

/** Programmable Messaging: https://www.twilio.com/docs/messaging/api/message-resource */
export const twilio = vendorPreset(Options, {
  id: 'twilio',
  channels: ['sms'],
  secrets: twilioApi.accountSecrets,
  origin: twilioApi.twilioOrigin,
  check(options, from, fault) {
    twilioApi.checkAccount(options, fault);
    if (from === null && options.messagingServiceSid === undefined) {
      fault('from', 'is missing; messagingServiceSid can stand in its place');
    }
  },
  basic: twilioApi.twilioBasic,
  request(message, options) {
    // A sender on WhatsApp writes to people on WhatsApp: both have the channel before the number.
    const whatsapp = message.from?.startsWith('whatsapp:') ? 'whatsapp:' : '';
    return twilioApi.postTwilio(options, 'Messages', message, [
      ['To', `${whatsapp}${message.to}`],
      ['From', message.from],
      ['MessagingServiceSid', options.messagingServiceSid],
      ['Body', message.text],
    ]);
  },
  outcome(answer, json) {
    if (answer.status === 201) return accepted(textAt(json, '/sid'));
    return refused(answer, twilioApi.twilioCode(json), twilioApi.twilioCodes);
  },
  receipts: twilioReceipts(({ options }) => options.authToken ?? null),
});
