import t from 'tap';
import { isHttp } from '../../../src/delivery/preset.ts';
import type { Call, Receipt } from '../../../src/delivery/receipts/contract.ts';
import { now, presetOf } from './support.ts';

/* Delivery reports as the vendors send them, and what is read of them. */

const call = (content: unknown): Call => ({
  ...{ method: 'POST', url: 'https://id.example/receipts/main', query: {}, headers: {} },
  ...{ body: Buffer.alloc(0), content },
});
const get = (query: Record<string, string>): Call => ({ ...call({}), method: 'GET', query });

const infobip = (groupId: number) => call({ results: [{ messageId: 'g-1', status: { groupId, id: 1 } }] });
const plivo = (Status: string) => call({ MessageUUID: 'g-1', Status, To: '447700900123' });
const messagebird = (status: string) => get({ id: 'g-1', reference: 'msg_1', status });
const sinch = (status: string) => call({ type: 'recipient_delivery_report_sms', batch_id: 'g-1', status });

const cases: [preset: string, call: Call, state: Receipt['state'] | null, failure?: Receipt['failure']][] = [
  ['infobip', infobip(1), 'sent'],
  ['infobip', infobip(3), 'delivered'],
  ['infobip', infobip(2), 'failed', 'unreachable'],
  ['infobip', infobip(4), 'failed', 'unreachable'],
  ['infobip', infobip(5), 'failed', 'blocked'],
  ['infobip', infobip(9), null],
  ['plivo', plivo('sent'), 'sent'],
  ['plivo', plivo('delivered'), 'delivered'],
  ['plivo', plivo('read'), 'read'],
  ['plivo', plivo('undelivered'), 'failed', 'unreachable'],
  ['plivo', plivo('rejected'), 'failed', 'gateway'],
  ['plivo', plivo('queued'), null],
  ['messagebird', messagebird('buffered'), 'sent'],
  ['messagebird', messagebird('delivered'), 'delivered'],
  ['messagebird', messagebird('delivery_failed'), 'failed', 'unreachable'],
  ['messagebird', messagebird('constructor'), null],
  ['sinch', sinch('Dispatched'), 'sent'],
  ['sinch', sinch('Delivered'), 'delivered'],
  ['sinch', sinch('Rejected'), 'failed', 'blocked'],
  ['sinch', sinch('Aborted'), 'failed', 'gateway'],
  ['sinch', sinch('Queued'), null],
];

const readerOf = (id: string) => {
  const preset = presetOf(id);
  const reader = isHttp(preset) ? preset.receipts : undefined;
  if (reader === undefined) throw new Error(`${id} reads no receipts`);
  return reader;
};

t.test('what they mean', async (t) => {
  for (const [id, report, state, failure = null] of cases) {
    const expected = state === null ? [] : [{ messageId: null, gatewayId: 'g-1', state, failure }];
    t.same(readerOf(id).receipts(report, null), expected, `${id}: ${state} ${failure ?? ''}`);
  }
});

t.test('nothing signs them, and nothing in them can do harm', async (t) => {
  const hostile = [
    null,
    'text',
    7,
    [],
    [null],
    { results: null },
    { results: [null, 7, {}] },
    { status: {} },
  ];
  for (const id of ['infobip', 'plivo', 'messagebird', 'sinch']) {
    t.equal(readerOf(id).signed(call({}), null, now), null, id);
    for (const content of hostile)
      t.same(readerOf(id).receipts(call(content), null), [], JSON.stringify(content));
  }
});
