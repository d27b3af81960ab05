import { Type } from '../../lib/schema.ts';
import { twilioReceipts } from '../receipts/twilio.ts';
import { encode } from '../template/encode.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import { spoken, voiceLanguage } from '../vendor/speech.ts';
import * as twilioApi from '../vendor/twilio.ts';
import { vendorPreset } from '../vendor/vendor.ts';

const Options = Type.Object({
  ...twilioApi.account,
  voice: Type.Optional(
    Type.String({ minLength: 1, description: 'For instance Polly.Joanna; the account’s own by default' }),
  ),
});

/** Calls that say the text twice: https://www.twilio.com/docs/voice/api/call-resource, https://www.twilio.com/docs/voice/twiml/say */
export const twilioVoice = vendorPreset(Options, {
  id: 'twilio-voice',
  channels: ['voice'],
  secrets: twilioApi.accountSecrets,
  origin: twilioApi.twilioOrigin('api'),
  check(options, from, fault) {
    twilioApi.checkAccount(options, fault);
    if (from === null) fault('from', 'is missing: a call needs the number that makes it');
  },
  basic: twilioApi.twilioBasic,
  request(message, options) {
    const voice = options.voice === undefined ? '' : ` voice="${encode(options.voice, 'xml')}"`;
    const language = encode(voiceLanguage(message.locale), 'xml');
    const say = `<Say${voice} language="${language}">${encode(spoken(message), 'xml')}</Say>`;
    return twilioApi.postTwilio(options, 'Calls', message, [
      ['To', message.to],
      ['From', message.from],
      ['Twiml', `<Response>${say}<Pause length="1"/>${say}</Response>`],
    ]);
  },
  outcome(answer, json) {
    if (answer.status === 201) return accepted(textAt(json, '/sid'));
    return refused(answer, twilioApi.twilioCode(json), twilioApi.twilioCodes);
  },
  receipts: twilioReceipts(({ options }) => options.authToken ?? null),
});
