import { gzipSync } from 'node:zlib';
import t from 'tap';
import { isHttp } from '../../../src/delivery/preset.ts';
import type { Call, Price, Receipt } from '../../../src/delivery/receipts/contract.ts';
import { now, presetOf } from './support.ts';

/* Delivery reports as the vendors send them, and what is read of them. */

const call = (content: unknown): Call => ({
  ...{ method: 'POST', url: 'https://id.example/receipts/main', query: {}, headers: {} },
  ...{ body: Buffer.alloc(0), content },
});
const get = (query: Record<string, string>): Call => ({ ...call({}), method: 'GET', query });

const infobip = (groupId: number, id = 7, error = 'NO_ERROR') =>
  call({
    results: [
      {
        ...{ messageId: 'g-1', smsCount: 2, status: { groupId, id }, error: { name: error } },
        price: { pricePerMessage: 0.0095, currency: 'EUR' },
      },
    ],
  });
const plivo = (Status: string, ErrorCode = '000') =>
  call({ MessageUUID: 'g-1', Status, ErrorCode, To: '447700900123', TotalAmount: '0.00350' });
const messagebird = (status: string, statusReason = '') =>
  get({ id: 'g-1', reference: 'msg_1', status, statusReason });
const sinch = (status: string) =>
  call({ type: 'recipient_delivery_report_sms', batch_id: 'g-1', client_reference: 'msg_1', status });
const bulksms = (type: string, subtype?: string) =>
  call([{ id: 'g-1', type: 'SENT', userSuppliedId: 'msg_1', status: { type, subtype, id: `${type}.x` } }]);
const clickatell = (status: string) =>
  call({ messageId: 'g-1', clientMessageId: 'msg_1', status, statusCode: '000', to: '447700900123' });
const webhook = (type: string, data: object = {}) => call({ type, data: { id: 'msg_1', ...data } });
const sns = (status: string, delivery: object, pack: (text: string) => Buffer = gzipSync) => {
  const notification = { messageId: 'g-1', timestamp: '2026-03-01 10:00:00.000' };
  const message = JSON.stringify({ notification, delivery, status });
  const batch = { messageType: 'DATA_MESSAGE', logEvents: [{ id: '1', timestamp: 1, message }] };
  return call({ requestId: 'r', records: [{ data: pack(JSON.stringify(batch)).toString('base64') }] });
};
const dollars = { amount: '0.00645', currency: 'USD' };
const accepted = { priceInUSD: 0.00645, providerResponse: 'Message has been accepted by phone carrier' };

type Case = [
  preset: string,
  call: Call,
  state: Receipt['state'] | null,
  failure?: Receipt['failure'],
  price?: Price,
];
const cases: Case[] = [
  ['infobip', infobip(1), 'sent', null, { amount: '0.0190', currency: 'EUR' }],
  ['infobip', infobip(3, 2), 'sent', null, { amount: '0.0190', currency: 'EUR' }],
  ['infobip', infobip(3, 5), 'delivered', null, { amount: '0.0190', currency: 'EUR' }],
  ['infobip', infobip(2), 'failed', 'unreachable', { amount: '0.0190', currency: 'EUR' }],
  [
    'infobip',
    infobip(2, 9, 'EC_UNKNOWN_SUBSCRIBER'),
    'failed',
    'number',
    { amount: '0.0190', currency: 'EUR' },
  ],
  ['infobip', infobip(5), 'failed', 'blocked', { amount: '0.0190', currency: 'EUR' }],
  ['infobip', infobip(9), null],
  ['plivo', plivo('sent'), 'sent', null, { amount: '0.00350', currency: 'USD' }],
  ['plivo', plivo('delivered'), 'delivered', null, { amount: '0.00350', currency: 'USD' }],
  ['plivo', plivo('undelivered', '80'), 'failed', 'unreachable', { amount: '0.00350', currency: 'USD' }],
  ['plivo', plivo('undelivered', '50'), 'failed', 'number', { amount: '0.00350', currency: 'USD' }],
  ['plivo', plivo('failed', '200'), 'failed', 'blocked', { amount: '0.00350', currency: 'USD' }],
  ['plivo', plivo('failed', '1000'), 'failed', 'gateway', { amount: '0.00350', currency: 'USD' }],
  ['plivo', plivo('queued'), null],
  ['plivo', get({ MessageUUID: 'g-1', Status: 'read' }), 'read'],
  ['messagebird', messagebird('buffered'), 'sent'],
  ['messagebird', messagebird('delivered'), 'delivered'],
  ['messagebird', messagebird('delivery_failed'), 'failed', 'unreachable'],
  ['messagebird', messagebird('delivery_failed', 'unknown subscriber'), 'failed', 'number'],
  ['messagebird', messagebird('delivery_failed', 'opted out'), 'failed', 'blocked'],
  ['messagebird', messagebird('delivery_failed', 'constructor'), 'failed', 'unreachable'],
  ['messagebird', messagebird('constructor'), null],
  ['sinch', sinch('Dispatched'), 'sent'],
  ['sinch', sinch('Delivered'), 'delivered'],
  ['sinch', sinch('Unknown'), 'sent'],
  ['sinch', sinch('Rejected'), 'failed', 'blocked'],
  ['sinch', sinch('Deleted'), 'failed', 'number'],
  ['sinch', sinch('Aborted'), 'failed', 'gateway'],
  ['sinch', sinch('Queued'), null],
  ['bulksms', bulksms('SENT'), 'sent'],
  ['bulksms', bulksms('DELIVERED'), 'delivered'],
  ['bulksms', bulksms('FAILED', 'EXPIRED'), 'failed', 'unreachable'],
  ['bulksms', bulksms('FAILED', 'BLOCKED'), 'failed', 'blocked'],
  ['bulksms', bulksms('FAILED', 'NOT_SENT'), 'failed', 'gateway'],
  ['bulksms', bulksms('UNKNOWN'), null],
  ['bulksms', call([]), null],
  ['clickatell', clickatell('DELIVERED_TO_GATEWAY'), 'sent'],
  ['clickatell', clickatell('RECEIVED_BY_RECIPIENT'), 'delivered'],
  ['clickatell', clickatell('ERROR_DELIVERING_MESSAGE'), 'failed', 'unreachable'],
  ['clickatell', clickatell('DEVICE_ACK'), 'delivered'],
  ['clickatell', clickatell('RECIPIENT_DOES_NOT_EXIST'), 'failed', 'number'],
  ['clickatell', clickatell('QUEUED'), null],
  ['webhook', webhook('message.sent'), 'sent'],
  ['webhook', webhook('message.read'), 'read'],
  ['webhook', webhook('message.delivered', { price: dollars }), 'delivered', null, dollars],
  ['webhook', webhook('message.delivered', { price: { amount: '-1', currency: 'USD' } }), 'delivered'],
  ['webhook', webhook('message.failed', { failure: 'number' }), 'failed', 'number'],
  ['webhook', webhook('message.failed'), 'failed', 'gateway'],
  ['webhook', webhook('message.queued'), null],
  ['aws-sns', sns('SUCCESS', accepted), 'sent', null, dollars],
  ['aws-sns', sns('SUCCESS', { ...accepted, dwellTimeMsUntilDeviceAck: 900 }), 'delivered', null, dollars],
  ['aws-sns', sns('SUCCESS', accepted, Buffer.from), 'sent', null, dollars],
  ['aws-sns', sns('FAILURE', { providerResponse: 'Phone has blocked SMS' }), 'failed', 'blocked'],
  ['aws-sns', sns('FAILURE', { providerResponse: 'Invalid phone number' }), 'failed', 'number'],
  ['aws-sns', sns('FAILURE', { providerResponse: 'Unknown error' }), 'failed', 'gateway'],
  ['aws-sns', sns('SUCCESS', accepted, () => gzipSync(Buffer.alloc(2 ** 21))), null],
];

const readerOf = (id: string) => {
  const preset = presetOf(id);
  const reader = isHttp(preset) ? preset.receipts : undefined;
  if (reader === undefined) throw new Error(`${id} reads no receipts`);
  return reader;
};

const gatewayIds = { webhook: null } as Record<string, string | null>;
const ownIds = ['messagebird', 'sinch', 'bulksms', 'clickatell', 'webhook'];

t.test('what they mean', async (t) => {
  for (const [id, report, state, failure = null, price] of cases) {
    const messageId = ownIds.includes(id) ? 'msg_1' : null;
    const gatewayId = id in gatewayIds ? gatewayIds[id] : 'g-1';
    const expected =
      state === null ? [] : [{ messageId, gatewayId, state, failure, ...(price && { price }) }];
    t.same(readerOf(id).receipts(report, null), expected, `${id}: ${state} ${failure ?? ''}`);
  }
});

t.test('what people wrote back', async (t) => {
  for (const [id, message] of [
    ['infobip', call({ results: [{ from: '447700900123', text: 'Stop', messageId: 'x' }] })],
    ['plivo', call({ From: '447700900123', Text: 'Stop' })],
    ['messagebird', get({ originator: '447700900123', body: 'Stop' })],
    ['sinch', call({ type: 'mo_text', from: '447700900123', body: 'Stop' })],
    ['bulksms', call([{ type: 'RECEIVED', from: '447700900123', body: 'Stop' }])],
    ['clickatell', call({ fromNumber: '447700900123', text: 'Stop' })],
    ['webhook', call({ type: 'message.received', data: { from: '447700900123', text: 'Stop' } })],
  ] as const) {
    t.same(readerOf(id).replies?.(message, null), [{ from: '447700900123', text: 'Stop' }], id);
    t.same(readerOf(id).receipts(message, null), [], `${id}: no receipt`);
  }
  t.same(readerOf('sinch').replies?.(sinch('Delivered'), null), [], 'a report is no reply');
});

t.test('what Firehose wants to hear', async (t) => {
  const asked = { ...call({}), headers: { 'x-amz-firehose-request-id': 'r-1' } };
  t.same(readerOf('aws-sns').answer?.(asked, now), { requestId: 'r-1', timestamp: now.getTime() });
});

t.test('nothing in them can do harm', async (t) => {
  const hostile = [
    null,
    'text',
    7,
    [],
    [null],
    [{ status: { type: {} } }],
    { results: null },
    { results: [null, 7, {}] },
    { records: [null, {}, { data: 'H4sI' }, { data: 7 }] },
    { status: {} },
    { type: 'message.sent', data: null },
  ];
  for (const id of ['infobip', 'plivo', 'messagebird', 'sinch', 'bulksms', 'clickatell', 'aws-sns']) {
    for (const content of hostile)
      t.same(readerOf(id).receipts(call(content), null), [], `${id}: ${JSON.stringify(content)}`);
  }
});
