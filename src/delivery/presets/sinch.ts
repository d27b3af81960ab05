import { Type } from '../../lib/schema.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import { reportIn, unsignedReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postJson, segment, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({
  servicePlanId: Type.String({ minLength: 1 }),
  apiToken: Type.String({ minLength: 1 }),
  region: Type.Optional(
    Type.String({
      pattern: '^[a-z]{2}$',
      description: 'us by default; eu, au, br, ca: where the plan lives',
    }),
  ),
});

/** https://developers.sinch.com/docs/sms/api-reference/sms/delivery-reports */
const states = {
  Dispatched: 'sent',
  Delivered: 'delivered',
  Failed: 'unreachable',
  Expired: 'unreachable',
  Rejected: 'blocked',
  Aborted: 'gateway',
  Cancelled: 'gateway',
} as const;

/** Batches of one: https://developers.sinch.com/docs/sms/api-reference/sms/batches/sendsms */
export const sinch = vendorPreset(Options, {
  id: 'sinch',
  channels: ['sms'],
  secrets: ['apiToken'],
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
  receipts: unsignedReceipts(states, reportIn('batch_id', 'status')),
});
