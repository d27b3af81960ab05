import type { KeyObject } from 'node:crypto';
import { type Static, Type } from '../../lib/schema.ts';
import { signWebhook, verifyWebhook, webhookKey } from '../../lib/standard-webhooks.ts';
import { encode } from '../template/encode.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import { priceAt, vendorReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { postJson } from '../vendor/wire.ts';

const Options = Type.Object({
  url: Type.String({ minLength: 1, description: 'Of your endpoint' }),
  secret: Type.String({
    minLength: 1,
    description: 'whsec_ and 24 to 64 bytes in base64: requests are signed with it',
  }),
});

/** Made once for each provider: that costs more than to sign with it. */
const keys = new WeakMap<object, KeyObject>();

function keyOf(options: Static<typeof Options>): KeyObject {
  const known = keys.get(options);
  if (known) return known;
  const key = webhookKey(options.secret);
  if (key === null) throw new Error('the secret is none');
  keys.set(options, key);
  return key;
}

/** Signed with the same secret. The body is one of `type` message.sent, .delivered, .read or .failed, or .received. */
const receipts = vendorReceipts<Static<typeof Options>>({
  states: {
    ...{ 'message.sent': 'sent', 'message.delivered': 'delivered', 'message.read': 'read' },
    'message.failed': 'gateway',
  },
  reasons: { number: 'number', blocked: 'blocked', unreachable: 'unreachable' },
  read: (report) => ({
    messageId: textAt(report, '/data/id'),
    gatewayId: null,
    state: textAt(report, '/type'),
    reason: textAt(report, '/data/failure'),
    price: priceAt(report, '/data/price/amount', '/data/price/currency'),
  }),
  reply: (message) => ({
    from: textAt(message, '/type') === 'message.received' ? textAt(message, '/data/from') : null,
    text: textAt(message, '/data/text'),
  }),
  proven: ({ body, headers }, options, now) => verifyWebhook(keyOf(options), headers, body, now),
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
  request(message, options, { now }) {
    const { pathname, search } = new URL(options.url);
    const { id, channel, to, from, text, code, locale, app, callback } = message;
    const user = message.user === null ? null : { id: message.user.id };
    const head = channel === 'email' ? { subject: message.subject ?? null } : {};
    const request = postJson(`${pathname}${search}`, {
      type: 'message.send',
      timestamp: now.toISOString(),
      data: { id, channel, to, from, ...head, text, code, locale, app, user, callback },
    });
    const signature = signWebhook(keyOf(options), encode(id, 'header'), request.body ?? '', now);
    return { ...request, headers: [...request.headers, ...signature] };
  },
  settled: (status) => status >= 200 && status < 300,
  outcome: (answer) =>
    answer.status >= 200 && answer.status < 300 ? accepted(null) : refused(answer, null, {}),
  receipts,
});
