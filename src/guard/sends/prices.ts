import { getCountries } from '../../lib/phone-numbers.ts';
import type { Fault } from '../../lib/problem.ts';

/** One line of the price list. */
export interface Price {
  /** ISO 3166, or `*`. */
  country: string;
  /** E.164 digits that the number begins with, `+` and country code included; empty: all. */
  prefix: string;
  /** Of delivery, or `*`. */
  channel: string;
  currency: string;
  /** Millionths of the currency. */
  micros: number;
}

const header = 'country,prefix,channel,currency,price';
const line = /^([A-Z]{2}|\*),(\+?\d{0,15}),(\*|[a-z]{1,20}),([A-Z]{3}),(\d{1,7}(?:\.\d{1,6})?)$/;

const countries = new Set<string>(getCountries());
/** What delivery sends by. */
const channels = ['sms', 'voice', 'email'];

const linesOf = (csv: string): [text: string, number: number][] =>
  csv
    .split(/\r?\n/)
    .map((text, at): [string, number] => [text.trim(), at + 1])
    .filter(([text]) => text !== '' && !text.startsWith('#') && text !== header);

/** What is wrong with a list, line by line; `path` is where it stands. */
export function priceFaults(path: string, csv: string): Fault[] {
  const first = new Map<string, number>();
  return linesOf(csv).flatMap(([text, number]) => {
    const fault = faultOf(text, number, first);
    return fault === null ? [] : [{ path, message: `line ${number} ${fault}` }];
  });
}

/** @param first the line on which what a price is for came first */
function faultOf(text: string, number: number, first: Map<string, number>): string | null {
  const [, country, prefix = '', channel = '', currency] = line.exec(text) ?? [];
  if (country === undefined) return `is not “${header}”: write for instance DE,,sms,EUR,0.075`;
  if (country !== '*' && !countries.has(country)) return `names a country that does not exist: ${country}`;
  if (channel !== '*' && !channels.includes(channel)) {
    return `names the channel “${channel}”: there are ${channels.join(', ')} and *`;
  }
  if (prefix.replace('+', '').startsWith('0')) {
    return `has the prefix ${prefix}: prefixes begin with the country code, as in +44`;
  }
  const whatFor = [country, prefix.replace('+', ''), channel, currency].join();
  const before = first.get(whatFor);
  if (before !== undefined) return `has a price for what line ${before} has a price for`;
  first.set(whatFor, number);
  return null;
}

const parsed = new Map<string, Price[]>();

/** The lines that are well-formed. The last list is remembered: settings are asked at every message. */
export function parsePrices(csv: string): Price[] {
  const known = parsed.get(csv);
  if (known) return known;
  const prices = linesOf(csv).flatMap(([text]): Price[] => {
    const [, country, prefix, channel, currency, price] = line.exec(text) ?? [];
    if (country === undefined || prefix === undefined || channel === undefined || currency === undefined)
      return [];
    const digits = prefix.replace('+', '');
    const micros = Math.round(Number(price) * 1_000_000);
    return [{ country, prefix: digits && `+${digits}`, channel, currency, micros }];
  });
  parsed.clear();
  parsed.set(csv, prices);
  return prices;
}

/**
 * The price of the line that fits best: the longest prefix, then the country, then the channel. `currency` null: in any.
 * Null where no line fits.
 */
export function priceOf(
  prices: Price[],
  to: { number: string; country: string | null; channel: string; currency: string | null },
): { micros: number; currency: string } | null {
  const fitting = prices.filter(
    (row) =>
      (to.currency === null || row.currency === to.currency) &&
      (row.country === '*' || row.country === to.country) &&
      (row.channel === '*' || row.channel === to.channel) &&
      to.number.startsWith(row.prefix),
  );
  const closeness = (row: Price) =>
    row.prefix.length * 4 + (row.country === '*' ? 0 : 2) + (row.channel === '*' ? 0 : 1);
  const [best] = fitting.toSorted((a, b) => closeness(b) - closeness(a));
  return best ? { micros: best.micros, currency: best.currency } : null;
}
