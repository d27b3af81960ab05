import { Type } from '../../lib/schema.ts';
import { pointed } from '../http/json-pointer.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { digitsOf, postJson, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({ apiKey: Type.String({ minLength: 1 }) });

/** 105: not a number; 121, 122: blocked, or its owner wants no messages. What else is refused is our account's. */
const codes = { rejected: ['105', '121', '122'] };

/**
 * The Platform API: https://docs.clickatell.com/channels/sms-channels/sms-api-reference/. The key stands bare in
 * `Authorization`.
 */
export const clickatell = vendorPreset(Options, {
  id: 'clickatell',
  channels: ['sms'],
  secrets: ['apiKey'],
  origin: () => 'https://platform.clickatell.com',
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
});
