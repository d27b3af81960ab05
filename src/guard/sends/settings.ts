import { durationFault, durationPattern, parseDuration } from '../../lib/duration.ts';
import { keeping } from '../../lib/memo.ts';
import type { Fault } from '../../lib/problem.ts';
import { Type } from '../../lib/schema.ts';
import { type CountryDocument, countryDocuments, countryFaults } from './countries.ts';
import { numberTypes } from './destination.ts';
import { parseMoney } from './money.ts';
import { parsePrices, priceFaults } from './prices.ts';

/** Every rule by which a message may be held back, in the order in which they are told of. */
export const ruleNames = [
  'first-contact',
  'country',
  'number-type',
  'sim-swap',
  'lookup',
  'number',
  'user',
  'address',
  'network',
  'destinations',
  'prefix',
  'conversion',
  'budget',
] as const;

export type RuleName = (typeof ruleNames)[number];

/** `record`: only written down; `challenge`: the browser has to do something first; `enforce`: nothing is sent. */
export type Mode = 'record' | 'challenge' | 'enforce';

export interface BudgetDocument {
  /** Without: all apps together. */
  app?: string;
  /** Without: all countries together. */
  country?: string;
  /** `20 EUR` */
  perDay: string;
  /** What happens when it is spent. */
  whenSpent: Mode;
}

/** The member `guard.sends` of gateway.yaml, defaults filled in. Limits are lists like `5 in 10m`. */
export interface SendsDocument {
  perNumber: string[];
  perUser: string[];
  perAddress: string[];
  perNetwork: string[];
  perPrefix: string[];
  prefixBlock: string;
  prefixLongestBlock: string;
  countriesPerAddress: number;
  home: string[];
  allow: string[];
  deny: string[];
  others: 'watch' | 'deny';
  countries: CountryDocument[];
  refuseTypes: string[];
  watchTypes: string[];
  conversion: {
    hourly: number;
    hourlyPercent: number;
    daily: number;
    dailyPercent: number;
    learning: string;
  };
  budgets: BudgetDocument[];
  prices: string;
  modes: Record<Exclude<RuleName, 'budget' | 'lookup'>, Mode>;
}

/** At most so many in any stretch of time of this length. */
export interface Limit {
  count: number;
  withinMs: number;
}

/** Reads `5 in 10m`. */
export const parseLimit = keeping((written): Limit => {
  const [count = '', within = ''] = written.split(' in ');
  return { count: Number(count), withinMs: parseDuration(within) };
});

const limits = (what: string, ...standard: string[]) =>
  Type.Array(Type.String({ pattern: `^[1-9][0-9]{0,2} in ${durationPattern.slice(1)}` }), {
    default: standard,
    maxItems: 5,
    description: `${what}, each as “5 in 10m”. An empty list is no limit.`,
  });

const count = (standard: number, maximum: number, description: string) =>
  Type.Integer({ default: standard, minimum: 0, maximum, description });

const duration = (standard: string, description: string) =>
  Type.String({ default: standard, pattern: durationPattern, description });

const group = <T extends Parameters<typeof Type.Object>[0]>(members: T) =>
  Type.Partial(Type.Object(members), { additionalProperties: false, default: {} });

const country = Type.String({ pattern: '^[A-Z]{2}$' });

const countries = (description: string) =>
  Type.Array(country, { default: [], maxItems: 250, uniqueItems: true, description });

const types = (standard: string[], description: string) =>
  Type.Array(Type.Enum([...numberTypes]), { default: standard, uniqueItems: true, description });

const modeValues = ['record', 'challenge', 'enforce'];
const mode = Type.Enum(modeValues, { default: 'enforce' });
const modeDescription =
  'What each rule does: record (write it down only), challenge (the browser has to do some work first) or enforce (send nothing).';

const budget = Type.Object(
  {
    app: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'Id of the app; without it all together.' }),
    ),
    country: Type.Optional(country),
    perDay: Type.String({
      pattern: '^[0-9]{1,7}(\\.[0-9]{1,6})? [A-Z]{3}$',
      description: 'What may be spent in one day (UTC), for instance 20 EUR.',
    }),
    whenSpent: Type.Optional(
      Type.Enum(modeValues, { default: 'enforce', description: 'What happens when it is spent.' }),
    ),
  },
  { additionalProperties: false },
);

/** The schema of {@link SendsDocument}. */
export const sendsSchema = group({
  perNumber: limits('Messages to one number', '1 in 30s', '5 in 10m', '10 in 1d'),
  perUser: limits('Messages to one user', '10 in 1h'),
  perAddress: limits('Messages asked for from one network address whose code was never typed', '20 in 1h'),
  perNetwork: limits('The same for the network around it (/24, of IPv6 /56)', '60 in 1h'),
  perPrefix: limits(
    'Messages to numbers that differ in the last four digits, whose code was never typed',
    '10 in 1h',
  ),
  prefixBlock: duration('12h', 'How long such numbers get nothing then; twice as long each further time.'),
  prefixLongestBlock: duration('7d', 'The longest of these.'),
  countriesPerAddress: count(
    3,
    200,
    'Countries that one address may send to in a day without any code typed; 0 is no limit.',
  ),
  home: countries('Countries that your users live in, as ISO 3166 codes. None: every country counts as one.'),
  allow: countries('Further countries that messages go to without a note.'),
  deny: countries('Countries that no message goes to.'),
  others: Type.Enum(['watch', 'deny'], {
    default: 'watch',
    description: 'All other countries: watch writes each message down.',
  }),
  countries: countryDocuments,
  refuseTypes: types(
    ['premium', 'shared-cost', 'pager', 'toll-free', 'satellite'],
    'Kinds of numbers that get no message.',
  ),
  watchTypes: types(['voip'], 'Kinds of numbers whose messages are written down.'),
  conversion: group({
    hourly: count(
      3,
      100_000,
      'Messages to one country in an hour, beyond its usual share, whose code was not typed.',
    ),
    hourlyPercent: count(
      20,
      1_000,
      'The same in percent of what is usual in an hour; the greater one counts.',
    ),
    daily: count(20, 1_000_000, 'As hourly, in a day (UTC).'),
    dailyPercent: count(30, 1_000, 'As hourlyPercent, in a day.'),
    learning: duration('1d', 'A home country is only recorded so long after its first message.'),
  }),
  budgets: Type.Array(budget, { default: [], maxItems: 50, description: 'Money per day. Needs prices.' }),
  prices: Type.String({
    default: '',
    description:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: references are written like this
      'The price list as CSV with the columns country,prefix,channel,currency,price, for instance ${file:/etc/sallyport/prices.csv}. A country * is every other one.',
  }),
  modes: Type.Partial(
    Type.Object({
      ...{ country: mode, 'number-type': mode, number: mode, user: mode, address: mode },
      'first-contact': Type.Enum(modeValues, {
        default: 'challenge',
        description:
          'A code that nobody has proved anything for, asked for by a browser that the user has not signed in with.',
      }),
      ...{ network: mode, destinations: mode, prefix: mode, conversion: mode },
      'sim-swap': Type.Enum(modeValues, {
        default: 'enforce',
        description: 'A number whose SIM card was replaced lately, as guard.lookup says.',
      }),
    }),
    { additionalProperties: false, default: {}, description: modeDescription },
  ),
});

/** What the schema cannot say. Paths begin at `sends`. */
export function sendsFaults(sends: SendsDocument): Fault[] {
  const faults: (Fault | null)[] = [
    durationFault('sends.prefixBlock', sends.prefixBlock, '1m', sends.prefixLongestBlock),
    durationFault('sends.prefixLongestBlock', sends.prefixLongestBlock, '1m', '90d'),
    durationFault('sends.conversion.learning', sends.conversion.learning, '0s', '90d'),
  ];
  for (const name of ['perNumber', 'perUser', 'perAddress', 'perNetwork', 'perPrefix'] as const) {
    for (const [at, written] of sends[name].entries()) {
      faults.push(durationFault(`sends.${name}[${at}]`, written.split(' in ')[1] ?? '', '1s', '30d'));
    }
  }
  faults.push(...priceFaults('sends.prices', sends.prices), ...countryFaults(sends));
  const prices = parsePrices(sends.prices);
  for (const [at, { perDay }] of sends.budgets.entries()) {
    const { currency } = parseMoney(perDay);
    const hasRest = prices.some(
      (row) => row.country === '*' && row.prefix === '' && row.channel === '*' && row.currency === currency,
    );
    if (hasRest) continue;
    const message = `needs a line “*,,*,${currency},…” in sends.prices: a message without a price would cost nothing`;
    faults.push({ path: `sends.budgets[${at}].perDay`, message });
  }
  return faults.filter((fault) => fault !== null);
}
