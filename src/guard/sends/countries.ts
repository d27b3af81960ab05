import type { Fault } from '../../lib/problem.ts';
import { Type } from '../../lib/schema.ts';
import type { SendRequest } from '../types.ts';
import type { Destination } from './destination.ts';
import { parseMoney } from './money.ts';
import { parsePrices, priceOf } from './prices.ts';
import type { SendsDocument } from './settings.ts';

/** What is said of one country beside where it stands in `home`, `allow` and `deny`. */
export interface CountryDocument {
  country: string;
  /** `low`: its messages go without a note; `medium`: each is written down; `high`: the browser does some work first. */
  risk?: Risk;
  /** `0.08 EUR`: nothing that costs more goes there. */
  ceiling?: string;
}

type Risk = 'low' | 'medium' | 'high';

export const countryDocuments = Type.Array(
  Type.Object(
    {
      country: Type.String({ pattern: '^[A-Z]{2}$' }),
      risk: Type.Optional(
        Type.Enum(['low', 'medium', 'high'], {
          description:
            'low: no note; medium: each message is written down; high: the browser has to do some work before each.',
        }),
      ),
      ceiling: Type.Optional(
        Type.String({
          pattern: '^[0-9]{1,7}(\\.[0-9]{1,6})? [A-Z]{3}$',
          description:
            'A message whose price in the list is higher does not go there, for instance 0.08 EUR.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  {
    default: [],
    maxItems: 250,
    description: 'Risk and highest price by country, as an ISO 3166 code.',
  },
);

/** How a country stands, and what a message to it costs. */
export interface CountryStanding {
  class: 'home' | 'allow' | 'watch' | 'deny';
  risk: Risk | null;
  /** Millionths; null without a price list. */
  price: { micros: number; currency: string } | null;
  ceiling: { micros: number; currency: string } | null;
}

export function standingOf(
  sends: SendsDocument,
  { channel, number }: SendRequest,
  destination: Destination,
): CountryStanding {
  const country = destination.country ?? '';
  const own = sends.countries.find((one) => one.country === country);
  const ceiling = own?.ceiling === undefined ? null : parseMoney(own.ceiling);
  const to = { number: number ?? '', country: destination.country, channel: channel ?? 'sms' };
  const price = priceOf(parsePrices(sends.prices), { ...to, currency: ceiling?.currency ?? null });
  return { class: classOf(sends, country), risk: own?.risk ?? null, price, ceiling };
}

function classOf({ allow, deny, home, others }: SendsDocument, country: string): CountryStanding['class'] {
  if (deny.includes(country)) return 'deny';
  if (home.includes(country)) return 'home';
  // With none named every country counts as home.
  return home.length === 0 || allow.includes(country) ? 'allow' : others;
}

/** As a decision shows it. */
export function standingFigures({ class: of, price, risk }: CountryStanding): Record<string, string> {
  return {
    class: of,
    ...(risk && { risk }),
    ...(price && { price: `${price.micros / 1_000_000} ${price.currency}` }),
  };
}

/** What the schema cannot say. */
export function countryFaults({ countries, prices }: SendsDocument): Fault[] {
  const lines = parsePrices(prices);
  return countries.flatMap(({ ceiling, country }, at): Fault[] => {
    const path = `sends.countries[${at}]`;
    const faults: Fault[] = [];
    if (countries.findIndex((one) => one.country === country) !== at) {
      faults.push({ path: `${path}.country`, message: `stands there twice: ${country}` });
    }
    const currency = ceiling === undefined ? null : parseMoney(ceiling).currency;
    if (currency !== null && !lines.some((line) => line.currency === currency)) {
      const message = `needs prices in ${currency} in sends.prices: without one nothing is too dear`;
      faults.push({ path: `${path}.ceiling`, message });
    }
    return faults;
  });
}
