import t from 'tap';
import { sendRiders } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { at, crypto, DAY, defaults, guardOn, section, start, times } from './fixture.ts';

const prices = '*,,*,EUR,0.10\nPK,,sms,EUR,0.25\n*,,*,USD,0.12';

const requestTo = (number: string, more: object = {}) => ({
  ...{ number, numberHash: crypto.mac('identifier', number), userId: null, ip: null },
  ...{ channel: 'sms', appId: 'shop', ...more },
});

t.test('price and risk of a country', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const countries = [
      { country: 'PK', ceiling: '0.20 EUR' },
      { country: 'FR', risk: 'low' },
      { country: 'AT', risk: 'medium' },
      { country: 'GB', risk: 'high', ceiling: '0.10 EUR' },
    ];
    const sends = { home: ['DE', 'AT', 'GB'], prices, countries };
    const strict = guardOn(storage, defaults({ sends }));
    const cases: [number: string, expected: object][] = [
      [
        '+4915112345601',
        { allowed: true, decisions: [{ action: 'allow', figures: { class: 'home', price: '0.1 EUR' } }] },
      ],
      [
        '+923012345678',
        {
          ...{ allowed: false, rule: 'country', retryAt: null },
          decisions: [{ action: 'refuse', figures: { class: 'watch', price: '0.25 EUR', most: '0.2 EUR' } }],
        },
      ],
      ['+33612345678', { allowed: true, decisions: [{ action: 'allow', figures: { class: 'watch' } }] }],
      [
        '+436641234567',
        { allowed: true, decisions: [{ action: 'record', figures: { class: 'home', risk: 'medium' } }, {}] },
      ],
      [
        '+447700900123',
        { allowed: false, challenge: true, decisions: [{ action: 'challenge', figures: { risk: 'high' } }] },
      ],
    ];
    for (const [number, expected] of cases) {
      t.match(await strict.allowSend(requestTo(number), start), expected, number);
    }
    const passed = requestTo('+447700900124', { passed: 'proof' });
    t.match(await strict.allowSend(passed, start), { allowed: true });
    const follows = requestTo('+447700900125', { followUp: true });
    t.match(await strict.allowSend(follows, start), { allowed: true }, 'it was passed for the first message');
    const mild = guardOn(storage, defaults({ sends: { ...sends, modes: { country: 'record' } } }));
    for (const number of ['+923012345679', '+447700900126']) {
      t.match(await mild.allowSend(requestTo(number), start), { allowed: true }, number);
    }
  }),
);

t.test('what is wrong with them is named', async (t) => {
  const faults = (countries: object[], list = prices) =>
    section.check?.(defaults({ sends: { countries, prices: list } }), {} as never).map(({ path }) => path);
  t.strictSame(faults([{ country: 'GB', ceiling: '0.10 EUR' }]), []);
  t.strictSame(faults([{ country: 'GB' }, { country: 'GB' }]), ['sends.countries[1].country']);
  t.strictSame(faults([{ country: 'GB', ceiling: '0.10 EUR' }], ''), ['sends.countries[0].ceiling']);
});

const spent = async (storage: Storage) => {
  const rows = await storage.db
    .selectFrom('send_histories')
    .select(['key', 'marks'])
    .where('key', 'like', 'budget:%')
    .execute();
  const digits = (micros: number) => Math.round(micros) / 1_000_000;
  return Object.fromEntries(
    rows.map(({ key, marks }) => [key.split(':').slice(1, 4).join(':'), digits(marks.spent ?? 0)]),
  );
};

const budgets = [{ perDay: '1 EUR' }, { app: 'shop', country: 'PK', perDay: '1 EUR' }, { perDay: '9 USD' }];

t.test('what a message has cost sets the budgets right', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const guard = guardOn(storage, defaults({ sends: { prices, budgets, perPrefix: [] } }));
    const number = '+923012345678';
    for (const n of [1, 2]) await guard.allowSend(requestTo(`+92301234567${n}`), at(n));
    t.strictSame(await spent(storage), { '*:*:EUR': 0.5, 'shop:PK:EUR': 0.5, '*:*:USD': 0.24 });
    const told = { number, appId: 'shop', channel: 'sms', at: at(1) };
    const correct = async (paid: object) => {
      const riders = guard.correctingSpend(storage.db, { ...told, amount: '0.3', currency: 'EUR', ...paid });
      if (riders.length > 0) await sendRiders(storage.db, riders);
      return spent(storage);
    };
    t.strictSame(await correct({}), { '*:*:EUR': 0.55, 'shop:PK:EUR': 0.55, '*:*:USD': 0.24 }, 'dearer');
    t.match(await correct({ amount: '0.0333' }), { '*:*:EUR': 0.3333 }, 'cheaper');
    t.match(await correct({ amount: '0.25' }), { '*:*:EUR': 0.3333 }, 'as expected');
    t.match(await correct({ currency: 'GBP' }), { '*:*:EUR': 0.3333 }, 'in another currency');
    t.match(await correct({ at: at(-2 * DAY) }), { '*:*:EUR': 0.3333 }, 'of a day that is over');
    t.match(await correct({ number: 'ada@home.example' }), { '*:*:EUR': 0.3333 });
  }),
);

t.test('sixty corrections among sixty messages: the sum is exact', (t) =>
  postgresOnly(t, async (t, storage) => {
    const document = defaults({
      sends: {
        prices,
        budgets: [{ perDay: '1000 EUR' }],
        perPrefix: [],
        perUser: [],
        conversion: { hourly: 1_000 },
      },
    });
    const guard = guardOn(storage, document);
    await times(60, async (n) => {
      const number = `+4915112${String(n * 7_919).padStart(6, '0')}`;
      await guard.allowSend(requestTo(number), at(n));
      const paid = { number, appId: null, channel: 'sms', at: at(n), amount: '0.07', currency: 'EUR' };
      await sendRiders(storage.db, guard.correctingSpend(storage.db, paid));
    });
    t.strictSame(await spent(storage), { '*:*:EUR': 4.2 });
  }),
);
