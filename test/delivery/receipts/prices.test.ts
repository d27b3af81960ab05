import t from 'tap';
import { addressedMessage, receiptAddress } from '../../../src/delivery/receipts/address.ts';
import type { Call } from '../../../src/delivery/receipts/contract.ts';
import { defaults, guardOn } from '../../guard/fixture.ts';
import { forEachDatabase } from '../../helpers/database.ts';
import { silent } from '../../helpers/log.ts';
import { crypto, issuer, openBench, rowOf } from '../service-support.ts';

const number = '+447700900123';
const provider = {
  ...{ id: 'main', channel: 'sms', preset: 'infobip', from: 'Shop' },
  infobip: { baseUrl: 'https://xyz.api.infobip.com', apiKey: 'key-0123456789' },
};

/** A report of the gateway at the address that the message carries. */
function reportOf(id: string, groupId: number, price: object): Call {
  const { href, searchParams } = new URL(receiptAddress({ crypto, issuer }, 'main', id));
  t.equal(addressedMessage(crypto, 'main', Object.fromEntries(searchParams)), id);
  const content = { results: [{ messageId: 'gw-1', status: { groupId }, smsCount: 1, price }] };
  return {
    ...{ method: 'POST', url: href, query: Object.fromEntries(searchParams), headers: {}, content },
    body: Buffer.from(JSON.stringify(content)),
  };
}

t.test('what a receipt says a message has cost counts once, in the budget and beside the message', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const sends = { prices: '*,,*,EUR,0.10', budgets: [{ perDay: '5 EUR' }] };
    const guard = guardOn(storage, defaults({ sends }));
    const bench = await openBench(t, storage, [provider], silent, () => {}, guard);
    const spent = async () => {
      const { marks } = await storage.db
        .selectFrom('send_histories')
        .select('marks')
        .where('key', 'like', 'budget:%')
        .executeTakeFirstOrThrow();
      return Math.round(marks.spent ?? 0);
    };
    const sent = async (reference: string) => {
      const request = { number, numberHash: `n${reference}`, userId: null, ip: null, channel: 'sms' };
      await guard.allowSend({ ...request, appId: 'shop' }, bench.now);
      const { id } = await bench.queue({ reference, to: number });
      await storage.db
        .updateTable('messages')
        .set({ status: 'accepted', provider_id: 'main', gateway_id: 'gw-1' })
        .where('id', '=', id)
        .execute();
      return id;
    };
    const first = await sent('one');
    t.equal(await spent(), 100_000, 'by the list');
    const price = { pricePerMessage: 0.0333, currency: 'EUR' };
    await bench.delivery.receipts.report('main', reportOf(first, 1, price));
    t.equal(await spent(), 33_300, 'as charged');
    await bench.delivery.receipts.report('main', reportOf(first, 3, price));
    await bench.delivery.receipts.report('main', reportOf(first, 3, price));
    t.equal(await spent(), 33_300, 'once, however often it is said');
    t.match(await rowOf(storage.db, first), {
      ...{ receipt: 'delivered', price_amount: '0.0333', price_currency: 'EUR' },
    });
    const second = await sent('two');
    const odd = { pricePerMessage: -4, currency: 'EUR' };
    await bench.delivery.receipts.report('main', reportOf(second, 3, odd));
    t.equal(await spent(), 133_300, 'what cannot be read moves nothing');
    t.match(await rowOf(storage.db, second), { receipt: 'delivered', price_amount: null });
  }),
);
