import { Type } from '../../lib/schema.ts';
import type { GatewayAnswer, Verdict } from '../preset.ts';
import { EncodingError } from '../template/encode.ts';
import type { Channel } from '../types.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import * as twilioApi from '../vendor/twilio.ts';
import { isOn, vendorPreset } from '../vendor/vendor.ts';
import { postForm, segment } from '../vendor/wire.ts';

const Options = Type.Object({
  ...twilioApi.account,
  verifyServiceSid: Type.String({ pattern: '^VA[0-9A-Za-z]{32}$' }),
  channel: Type.Optional(
    Type.Enum(['sms', 'whatsapp'], { description: 'Of a provider for sms; sms by default' }),
  ),
  customCode: Type.Optional(
    Type.Boolean({
      description: 'Send our codes, which the service must allow; Twilio is asked nothing then',
    }),
  ),
});

const channels: Record<Channel, string> = { sms: 'sms', voice: 'call', email: 'email' };

/**
 * https://www.twilio.com/docs/api/errors. What is the matter with one number (too many codes in ten minutes, a landline, a
 * number that is being attacked) says nothing about the others: it must not make Twilio look unavailable for them.
 */
const codes = {
  rejected: ['60200', '60202', '60203', '60205', '60212', '60410'],
  unavailable: ['20003', '20404', '20429', '60204', '60207', '60220', '60223', '60228', '60238', '60605'],
};

/** Verification is over, https://www.twilio.com/docs/verify/api/verification-check. */
const over = ['canceled', 'expired', 'deleted', 'failed', 'max_attempts_reached'];
/** Tried too often: the same code is not compared any more. */
const TOO_MANY_CHECKS = '60202';
/** What the API takes for a code. */
const codeShape = /^[0-9A-Z]{4,10}$/;

const servicePath = (sid: string): string => `/v2/Services/${segment(sid)}`;

/** Twilio makes the code, writes the text, and says whether a typed code is right: https://www.twilio.com/docs/verify/api */
export const twilioVerify = vendorPreset(Options, {
  id: 'twilio-verify',
  channels: ['sms', 'voice', 'email'],
  codesOnly: true,
  secrets: twilioApi.accountSecrets,
  origin: twilioApi.twilioOrigin('verify'),
  check: (options, _from, fault) => twilioApi.checkAccount(options, fault),
  basic: twilioApi.twilioBasic,
  request(message, { channel = 'sms', customCode, verifyServiceSid }) {
    if (message.code === null) throw new EncodingError('Twilio Verify sends codes and nothing else');
    return postForm(`${servicePath(verifyServiceSid)}/Verifications`, [
      ['To', message.to],
      ['Channel', message.channel === 'sms' ? channel : channels[message.channel]],
      ['Locale', message.locale],
      ['CustomCode', isOn(customCode) ? message.code : null],
    ]);
  },
  outcome(answer, json) {
    if (answer.status === 201) return accepted(textAt(json, '/sid'));
    return refused(answer, twilioApi.twilioCode(json), codes);
  },
  keeper: {
    keeps: ({ customCode }) => !isOn(customCode),
    place: ({ verifyServiceSid }) => verifyServiceSid,
    question: ({ to, typed }, options) =>
      codeShape.test(typed)
        ? twilioApi.askTwilio(options, `${servicePath(options.verifyServiceSid)}/VerificationCheck`, [
            ['To', to],
            ['Code', typed],
          ])
        : null,
    verdict,
  },
  // https://www.twilio.com/docs/verify/api/customization-options: who sends codes of their own has to say which were used.
  conversions: {
    wanted: ({ customCode }) => isOn(customCode),
    report: ({ gatewayId }, options) =>
      twilioApi.askTwilio(
        options,
        `${servicePath(options.verifyServiceSid)}/Verifications/${segment(gatewayId)}`,
        [['Status', 'approved']],
      ),
  },
});

/** Only a whole answer that says so approves anything. */
function verdict(answer: GatewayAnswer, json: unknown): Verdict {
  const status = textAt(json, '/status');
  if (answer.status === 200 || answer.status === 201) {
    if (status === 'approved') return { is: 'right' };
    if (status === 'pending') return { is: 'wrong' };
    if (status !== null && over.includes(status)) return { is: 'gone' };
  }
  if (answer.status === 404) return { is: 'gone' };
  const code = twilioApi.twilioCode(json);
  if (answer.status === 429 && code === TOO_MANY_CHECKS) return { is: 'gone' };
  const told = refused(answer, code, codes);
  if (told.status === 'accepted') return { is: 'unchecked', status: 'unknown', reason: '' };
  // A success that says nothing we know is no refusal; anybody may type what is refused.
  return { is: 'unchecked', status: told.status, reason: told.reason };
}
