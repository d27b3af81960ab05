import { isGsm7 } from '../../lib/gsm7.ts';
import { type Static, Type } from '../../lib/schema.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { provenByToken } from '../vendor/proofs.ts';
import { allAt, vendorReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { digitsOf, postJson } from '../vendor/wire.ts';

const Options = Type.Object({
  tokenId: Type.String({ minLength: 1 }),
  tokenSecret: Type.String({ minLength: 1 }),
  callbackToken: Type.Optional(
    Type.String({
      minLength: 16,
      description: 'Receipts are believed that come to /receipts/<provider>?token=…; replies to /inbound',
    }),
  ),
});

/** Webhooks are set up for the whole account, and prove themselves by their address: #tag/Webhooks of the same page. */
const receipts = vendorReceipts<Static<typeof Options>>({
  states: { SENT: 'sent', DELIVERED: 'delivered', FAILED: 'gateway' },
  reasons: { EXPIRED: 'unreachable', HANDSET_ERROR: 'unreachable', BLOCKED: 'blocked', NOT_SENT: 'gateway' },
  pick: allAt(''),
  read: (message) => ({
    messageId: textAt(message, '/userSuppliedId'),
    gatewayId: textAt(message, '/id'),
    state: textAt(message, '/type') === 'SENT' ? textAt(message, '/status/type') : null,
    reason: textAt(message, '/status/subtype'),
  }),
  reply: (message) => ({
    from: textAt(message, '/type') === 'RECEIVED' ? textAt(message, '/from') : null,
    text: textAt(message, '/body'),
  }),
  proven: (call, { callbackToken }) =>
    callbackToken === undefined ? null : provenByToken(call, callbackToken),
});

/** The JSON API, version 1: https://www.bulksms.com/developer/json/v1/ */
export const bulksms = vendorPreset(Options, {
  id: 'bulksms',
  channels: ['sms'],
  secrets: ['tokenSecret', 'callbackToken'],
  origin: () => 'https://api.bulksms.com',
  basic: ({ tokenId, tokenSecret }) => [tokenId, tokenSecret],
  request: (message) =>
    postJson('/v1/messages', {
      from: message.from ?? undefined,
      to: digitsOf(message.to),
      body: message.text,
      // Without it every character outside GSM 03.38 would arrive as a question mark.
      encoding: isGsm7(message.text) ? undefined : 'UNICODE',
      userSuppliedId: message.id,
    }),
  outcome(answer, json) {
    if (answer.status !== 201) return refused(answer, null, {});
    return textAt(json, '/0/status/type') === 'FAILED'
      ? failed(answer, 'rejected')
      : accepted(textAt(json, '/0/id'));
  },
  receipts,
});
