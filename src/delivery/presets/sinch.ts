import { type Static, Type } from '../../lib/schema.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import { provenBySinch } from '../vendor/proofs.ts';
import { vendorReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postJson, segment, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({
  servicePlanId: Type.String({ minLength: 1 }),
  apiToken: Type.String({ minLength: 1 }),
  callbackSecret: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Of the HMAC that Sinch has set up for you; receipts are checked with it',
    }),
  ),
  region: Type.Optional(
    Type.String({
      pattern: '^[a-z]{2}$',
      description: 'us by default; eu, au, br, ca: where the plan lives',
    }),
  ),
});

/**
 * States and codes: https://developers.sinch.com/docs/sms/api-reference/sms/delivery-reports/delivery-report-error-codes.
 * `Deleted`: the number is none, or wants no messages. `Unknown`: it went out, and no more will be known.
 */
const receipts = vendorReceipts<Static<typeof Options>>({
  states: {
    ...{ Dispatched: 'sent', Unknown: 'sent', Delivered: 'delivered', Failed: 'unreachable' },
    ...{
      Expired: 'unreachable',
      Rejected: 'blocked',
      Deleted: 'number',
      Aborted: 'gateway',
      Cancelled: 'gateway',
    },
  },
  read: (report) => ({
    messageId: textAt(report, '/client_reference'),
    gatewayId: textAt(report, '/batch_id'),
    state: textAt(report, '/status'),
  }),
  reply: (message) => ({
    from: textAt(message, '/type') === 'mo_text' ? textAt(message, '/from') : null,
    text: textAt(message, '/body'),
  }),
  proven: (call, { callbackSecret }, now) =>
    callbackSecret === undefined ? null : provenBySinch(call, callbackSecret, now),
});

/** Batches of one: https://developers.sinch.com/docs/sms/api-reference/sms/batches/sendsms */
export const sinch = vendorPreset(Options, {
  id: 'sinch',
  channels: ['sms'],
  secrets: ['apiToken', 'callbackSecret'],
  origin: ({ region = 'us' }) => `https://${region}.sms.api.sinch.com`,
  request(message, { servicePlanId, apiToken }) {
    const callback = callbackOf(message);
    return postJson(
      `/xms/v1/${segment(servicePlanId)}/batches`,
      {
        from: message.from === null ? undefined : senderOf(message.from),
        to: [digitsOf(message.to)],
        body: message.text,
        delivery_report: callback === undefined ? 'none' : 'per_recipient',
        callback_url: callback,
        client_reference: message.id,
      },
      [['Authorization', `Bearer ${apiToken}`]],
    );
  },
  // https://developers.sinch.com/docs/sms/api-reference/status-codes: a 403 is about the plan, its groups or callbacks.
  outcome: (answer, json) =>
    answer.status === 201 ? accepted(textAt(json, '/id')) : refused(answer, null, {}),
  receipts,
});
