import { Type } from '../../lib/schema.ts';
import { signWebhook, webhookKey } from '../../lib/standard-webhooks.ts';
import { encode } from '../template/encode.ts';
import { accepted, refused } from '../vendor/answers.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { postJson } from '../vendor/wire.ts';

const Options = Type.Object({
  url: Type.String({ minLength: 1, description: 'Of your endpoint' }),
  secret: Type.String({
    minLength: 1,
    description: 'whsec_ and 24 to 64 bytes in base64: requests are signed with it',
  }),
});

/** An endpoint of one's own. JSON, signed: https://www.standardwebhooks.com. Any 2xx says that the message was taken. */
export const webhook = vendorPreset(Options, {
  id: 'webhook',
  channels: ['sms', 'voice', 'email'],
  secrets: ['secret'],
  origin: ({ url }) => URL.parse(url)?.origin ?? url,
  check({ url, secret }, _from, fault) {
    const address = URL.parse(url);
    if (address === null || !/^https?:$/.test(address.protocol))
      fault('url', 'must be an https:// or http:// URL');
    else if (address.username !== '' || address.password !== '') {
      fault('url', 'holds user information: the signature shows who calls');
    }
    if (webhookKey(secret) === null) fault('secret', 'must be whsec_ and 24 to 64 bytes in base64');
  },
  request(message, { url, secret }, { now }) {
    const { pathname, search } = new URL(url);
    const { id, channel, to, from, text, code, locale, app, callback } = message;
    const user = message.user === null ? null : { id: message.user.id };
    const request = postJson(`${pathname}${search}`, {
      type: 'message.send',
      timestamp: now.toISOString(),
      data: { id, channel, to, from, text, code, locale, app, user, callback },
    });
    const key = webhookKey(secret) ?? Buffer.alloc(0);
    const signature = signWebhook(key, encode(id, 'header'), request.body ?? '', now);
    return { ...request, headers: [...request.headers, ...signature] };
  },
  settled: (status) => status >= 200 && status < 300,
  outcome: (answer) =>
    answer.status >= 200 && answer.status < 300 ? accepted(null) : refused(answer, null, {}),
});
