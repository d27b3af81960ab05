import { Ajv } from 'ajv';
import t from 'tap';
import { priceFaults } from '../../src/guard/sends/prices.ts';
import { defaults, section } from './fixture.ts';

const valid = new Ajv({ strict: false }).compile(section.schema);
const faults = (written: object) => section.check?.(defaults(written), {} as never);

t.test('an empty file is the standard limits', async (t) => {
  t.match(defaults(), {
    sends: {
      perNumber: ['1 in 30s', '5 in 10m', '10 in 1d'],
      perUser: ['10 in 1h'],
      perAddress: ['20 in 1h'],
      perNetwork: ['60 in 1h'],
      perPrefix: ['10 in 1h'],
      prefixBlock: '12h',
      countriesPerAddress: 3,
      others: 'watch',
      refuseTypes: ['premium', 'shared-cost', 'pager', 'toll-free', 'satellite'],
      watchTypes: ['voip'],
      conversion: { hourly: 3, hourlyPercent: 20, daily: 20, dailyPercent: 30, learning: '1d' },
      budgets: [],
      modes: { country: 'enforce', prefix: 'enforce' },
    },
    passwords: { perAccount: 5, perDevice: 10, perAddress: 50, firstWait: '5s', longestWait: '15m' },
    locks: { after: 5, first: '5m', longest: '1d', consecutive: 100 },
  });
  t.strictSame(faults({}), []);
});

t.test('what the schema refuses', async (t) => {
  for (const written of [
    { sends: { perNumber: ['5 per 10m'] } },
    { sends: { perNumber: ['0 in 10m'] } },
    { sends: { perNumber: ['5 in 10'] } },
    { sends: { perCountry: [] } },
    { sends: { home: ['Germany'] } },
    { sends: { modes: { prefix: 'off' } } },
    { sends: { budgets: [{ perDay: '20' }] } },
    { locks: { consecutive: 101 } },
    { passwords: { firstWait: 5 } },
    { password: {} },
  ]) {
    t.equal(valid(written), false, JSON.stringify(written));
  }
});

t.test('faults name the member', async (t) => {
  for (const [written, path] of [
    [{ sends: { perUser: ['1 in 1h', '1 in 0s'] } }, 'sends.perUser[1]'],
    [{ sends: { perNumber: ['1 in 31d'] } }, 'sends.perNumber[0]'],
    [{ sends: { prefixBlock: '8d' } }, 'sends.prefixBlock'],
    [{ sends: { prices: 'DE,,sms,EUR,0.07\nDE,sms,EUR,0.07' } }, 'sends.prices'],
    [{ sends: { budgets: [{ perDay: '20 EUR' }] } }, 'sends.budgets[0].perDay'],
    [{ sends: { prices: '*,,*,USD,0.1', budgets: [{ perDay: '20 EUR' }] } }, 'sends.budgets[0].perDay'],
    [{ sends: { prices: '*,0049,*,EUR,0.1\n*,,*,USD,1', budgets: [{ perDay: '20 USD' }] } }, 'sends.prices'],
    [{ sends: { prices: '*,49,*,EUR,0.1', budgets: [{ perDay: '20 EUR' }] } }, 'sends.budgets[0].perDay'],
    [{ passwords: { firstWait: '1h' } }, 'passwords.firstWait'],
    [{ passwords: { longestWait: '2d' } }, 'passwords.longestWait'],
    [{ locks: { first: '2d' } }, 'locks.first'],
    [{ locks: { longest: '366d' } }, 'locks.longest'],
  ] as const) {
    t.strictSame(
      faults(written)?.map((fault) => fault.path),
      [path],
    );
  }
});

t.test('what is wrong with a price list, line by line', async (t) => {
  const list = ['*,,*,EUR,0.1', '*,0049,sms,EUR,0.1', 'XX,,sms,EUR,0.1', 'DE,,fax,EUR,0.1', '*,,*,EUR,0.2'];
  t.match(
    priceFaults('prices', list.join('\n')).map(({ message }) => message),
    [/^line 2 .*\+44/, /^line 3 .*XX/, /^line 4 .*“fax”: there are sms/, /^line 5 .*line 1/],
  );
  t.strictSame(priceFaults('prices', '*,,*,EUR,0.1\nDE,+49,sms,EUR,0.1\nDE,,sms,EUR,0.1\nDE,,sms,USD,1'), []);
});
