import { Type } from '../../lib/schema.ts';
import { twilioReceipts } from '../receipts/twilio.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import * as twilioApi from '../vendor/twilio.ts';
import { isOn, vendorPreset } from '../vendor/vendor.ts';
import { segment } from '../vendor/wire.ts';

const Options = Type.Object({
  ...twilioApi.account,
  messagingServiceSid: Type.Optional(
    Type.String({ pattern: '^MG[0-9A-Za-z]{32}$', description: 'Chooses the sender when from is left out' }),
  ),
  feedback: Type.Optional(
    Type.Boolean({ description: 'Tell Twilio which codes were used, by which it rates its routes' }),
  ),
});

/** Programmable Messaging: https://www.twilio.com/docs/messaging/api/message-resource */
export const twilio = vendorPreset(Options, {
  id: 'twilio',
  channels: ['sms'],
  secrets: twilioApi.accountSecrets,
  origin: twilioApi.twilioOrigin('api'),
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
      ['ProvideFeedback', isOn(options.feedback) ? 'true' : null],
    ]);
  },
  outcome(answer, json) {
    if (answer.status === 201) return accepted(textAt(json, '/sid'));
    return refused(answer, twilioApi.twilioCode(json), twilioApi.twilioCodes);
  },
  // https://www.twilio.com/docs/messaging/api/message-feedback-resource
  conversions: {
    wanted: ({ feedback }) => isOn(feedback),
    report: ({ gatewayId }, options) =>
      twilioApi.askTwilio(
        options,
        `/2010-04-01/Accounts/${segment(options.accountSid)}/Messages/${segment(gatewayId)}/Feedback.json`,
        [['Outcome', 'confirmed']],
      ),
  },
  receipts: twilioReceipts(({ options }) => options.authToken ?? null),
});
