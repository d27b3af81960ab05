import { isGsm7 } from '../../lib/gsm7.ts';
import { type Static, Type } from '../../lib/schema.ts';
import { pointed } from '../http/json-pointer.ts';
import { accepted, failed, refused, textAt } from '../vendor/answers.ts';
import { provenByMessagebird } from '../vendor/proofs.ts';
import { vendorReceipts } from '../vendor/reports.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { callbackOf, digitsOf, postJson, senderOf } from '../vendor/wire.ts';

const Options = Type.Object({
  accessKey: Type.String({ minLength: 1 }),
  signingKey: Type.Optional(Type.String({ minLength: 1, description: 'Receipts are checked with it' })),
});

/** Reports come by GET: https://developers.messagebird.com/api/sms-messaging/#handle-a-status-report */
const receipts = vendorReceipts<Static<typeof Options>>({
  states: {
    ...{ sent: 'sent', buffered: 'sent', delivered: 'delivered' },
    ...{ expired: 'unreachable', delivery_failed: 'unreachable' },
  },
  reasons: {
    ...{
      'incorrect number': 'number',
      'unknown subscriber': 'number',
      'unavailable subscriber': 'unreachable',
    },
    ...{ 'opted out': 'blocked', 'carrier rejected': 'blocked', 'received network error': 'gateway' },
    ...{ 'insufficient balance': 'gateway', 'capacity limit reached': 'gateway' },
  },
  read: (report) => ({
    messageId: textAt(report, '/reference'),
    gatewayId: textAt(report, '/id'),
    state: textAt(report, '/status'),
    reason: textAt(report, '/statusReason'),
  }),
  reply: (message) => ({ from: textAt(message, '/originator'), text: textAt(message, '/body') }),
  proven: (call, { signingKey }, now) =>
    signingKey === undefined ? null : provenByMessagebird(call, signingKey, now),
});

/** The SMS API: https://developers.messagebird.com/api/sms-messaging/, errors: https://developers.messagebird.com/api/#api-errors */
export const messagebird = vendorPreset(Options, {
  id: 'messagebird',
  channels: ['sms'],
  secrets: ['accessKey', 'signingKey'],
  origin: () => 'https://rest.messagebird.com',
  check(_options, from, fault) {
    if (from === null) fault('from', 'is missing: the API demands an originator');
  },
  request: (message, { accessKey }) =>
    postJson(
      '/messages',
      {
        originator: senderOf(message.from ?? ''),
        recipients: [digitsOf(message.to)],
        body: message.text,
        datacoding: isGsm7(message.text) ? undefined : 'unicode',
        // Without a reference no report is sent.
        reference: message.id,
        reportUrl: callbackOf(message),
      },
      [['Authorization', `AccessKey ${accessKey}`]],
    ),
  outcome(answer, json) {
    if (answer.status === 201) return accepted(textAt(json, '/id'));
    const errors = pointed(json, '/errors');
    const parameters = Array.isArray(errors) ? errors.map((error) => textAt(error, '/parameter')) : [];
    if (parameters.includes('originator')) return failed(answer, 'unavailable');
    // 2: the key, 20: not found, 25: no balance, 98: no such API; 9 and 10 are about what was sent.
    return refused(answer, textAt(json, '/errors/0/code'), { unavailable: ['2', '20', '25', '98'] });
  },
  receipts,
});
