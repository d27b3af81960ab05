import t from 'tap';
import { callback, common, json, jsonHeaders, load, outcomes, post, wireOf } from './support.ts';

/* https://developers.sinch.com/docs/sms/api-reference/sms/batches/sendsms, https://developers.sinch.com/docs/sms/api-reference/status-codes */

const options = { servicePlanId: 'plan-1', apiToken: 'tok' };
const document = { preset: 'sinch', from: '+15005550006', sinch: options };

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, { ...document, sinch: { ...options, region: 'eu' } });
  const head = ['Authorization: Bearer tok', ...jsonHeaders];
  const sent = (report: string) =>
    `{"from":"15005550006","to":["447700900123"],"body":"Your code is 493817",${report},"client_reference":"msg_1"}`;
  const path = '/xms/v1/plan-1/batches';
  t.equal(
    (await wire.send()).raw,
    post(
      'eu.sms.api.sinch.com',
      path,
      head,
      sent(`"delivery_report":"per_recipient","callback_url":"${callback}"`),
    ),
  );
  t.equal(
    (await wire.send({ callback: 'http://127.0.0.1:3000/receipts/main' })).raw,
    post('eu.sms.api.sinch.com', path, head, sent('"delivery_report":"none"')),
  );
  t.match(load({ ...document, sinch: { ...options, region: 'x@y' } }).faults, [{ path: 'sinch.region' }]);
});

t.test('what the answers mean', async (t) => {
  const error = (status: number, code: string) => json(status, { code, text: 'no' });
  await outcomes(t, await wireOf(t, document), [
    ...common,
    ['taken', json(201, { id: 's-1', canceled: false }), { status: 'accepted', gatewayId: 's-1' }],
    ['bad number', error(400, 'syntax_invalid_parameter_format'), { status: 'rejected' }],
    ['not allowed', error(403, 'unauthorized'), { status: 'unavailable' }],
    ['no credit', error(402, 'payment_required'), { status: 'unavailable' }],
    ['200 with an error body', error(200, 'syntax_invalid_json'), { status: 'unknown' }],
  ]);
});
