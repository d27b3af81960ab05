import type { Crypto } from '../../crypto/types.ts';
import { addressKey, networkKey } from '../address.ts';
import type { PaidSend, SendRequest, VerifiedSend } from '../types.ts';
import { dayOf, hourOf, shards, usualDays } from './conversion.ts';
import { type Destination, destinationOf } from './destination.ts';
import { parseMoney } from './money.ts';
import { parsePrices, priceOf } from './prices.ts';
import { type Mode, parseLimit, type RuleName, type SendsDocument } from './settings.ts';
import type { Entry, Settlement } from './store.ts';

const DAY_MS = 86_400_000;
/** A day's row says what is usual for a week after it. */
const DAY_ROW_KEPT_MS = (usualDays + 2) * DAY_MS;

/** An entry and what its limit does. */
export type Rule = Entry & { mode: Mode };

/** Where a browser's unverified messages are counted: one that the user has signed in with has its own place. */
const originKeys = (ip: string, deviceId: string | null) =>
  deviceId === null
    ? { address: `address:${addressKey(ip)}`, network: `network:${networkKey(ip)}` }
    : { address: `device:${deviceId}`, network: null };

const countriesKey = (ip: string): string => `countries:${addressKey(ip)}`;

/** The prefix alone could be guessed from a plain hash. */
const prefixKey = (crypto: Crypto, { prefix }: Destination): string =>
  `prefix:${crypto.mac('identifier', `prefix:${prefix}`)}`;

const countryKey = (country: string, day: number, shard: number): string =>
  `country:${country}:${day}:${shard}`;

/** For numbers of no country. */
const nowhere = 'ZZ';

export const countryOf = (destination: Destination | null): string | null =>
  destination && (destination.country ?? nowhere);

/** Spreads logins over the rows of a country. */
function shardOf(loginId: string | null): number {
  let sum = 0;
  for (const character of loginId ?? '') sum = (sum * 31 + character.charCodeAt(0)) % 65_521;
  return sum % shards;
}

/** Keys of everything that says what is usual for a country. */
export function countryKeys(country: string, now: Date): string[] {
  const today = dayOf(now);
  return Array.from({ length: usualDays + 1 }, (_, ago) => today - ago).flatMap((day) =>
    Array.from({ length: shards }, (_, shard) => countryKey(country, day, shard)),
  );
}

/** The day of a key of {@link countryKeys}. */
export const dayOfKey = (key: string): number => Number(key.split(':')[2]);

type CountedRule = Exclude<RuleName, 'budget' | 'first-contact' | 'lookup' | 'sim-swap'>;

/** Looks whether a prefix is blocked, and counts nothing in it. */
function blockOf(
  crypto: Crypto,
  sends: SendsDocument,
  request: SendRequest,
  destination: Destination,
): Rule[] {
  if (sends.perPrefix.length === 0) return [];
  const mode = sends.modes.prefix;
  const nothing = { kind: 'sum' as const, mark: 'follows', amount: 0, most: null, keptMs: DAY_MS };
  const enforced = isEnforced(mode, request);
  return [{ ...nothing, rule: 'prefix', key: prefixKey(crypto, destination), mode, enforced }];
}

/** Everything that a message is counted against. Shared rows come last: they are held the shortest. */
export function rulesFor(
  crypto: Crypto,
  sends: SendsDocument,
  request: SendRequest,
  destination: Destination | null,
  now: Date,
): Rule[] {
  const { ip, userId, numberHash, deviceId = null, followUp = false, loginId = null } = request;
  const rules: Rule[] = [];
  const history = (rule: CountedRule, key: string | null, written: string[]) => {
    // A limit of one keeps people from asking again; what follows by itself belongs to what was asked for before.
    const limits = written.map(parseLimit).filter(({ count }) => count > 1 || !followUp);
    if (key === null || limits.length === 0) return;
    const mode = sends.modes[rule];
    rules.push({ rule, key, kind: 'times', limits, mode, enforced: isEnforced(mode, request) });
  };
  history('number', `number:${numberHash}`, sends.perNumber);
  history('user', userId === null ? null : `user:${userId}`, sends.perUser);
  if (ip !== null && !request.addressCounted) {
    const { address, network } = originKeys(ip, deviceId);
    history('address', address, sends.perAddress);
    history('network', network, sends.perNetwork);
    if (request.passed === 'waited') rules.push(waiting(ip));
  }
  if (destination === null) return rules;
  const country = countryOf(destination) ?? nowhere;
  if (ip !== null && sends.countriesPerAddress > 0 && !sends.home.includes(country)) {
    const mode = sends.modes.destinations;
    const limits: [{ count: number; withinMs: number }] = [
      { count: sends.countriesPerAddress, withinMs: DAY_MS },
    ];
    const own = { key: countriesKey(ip), kind: 'tags' as const, mark: country, limits };
    rules.push({ ...own, rule: 'destinations', mode, enforced: isEnforced(mode, request) });
  }
  if (followUp) rules.push(...blockOf(crypto, sends, request, destination));
  else history('prefix', prefixKey(crypto, destination), sends.perPrefix);
  // What is counted by whether it is verified is counted once for each code, however many messages carry it.
  const amount = followUp ? 0 : 1;
  rules.push({
    ...{ rule: null, key: countryKey(country, dayOf(now), shardOf(loginId)), kind: 'sum', mode: 'record' },
    ...{ mark: `s${hourOf(now)}`, amount, most: null, keptMs: DAY_ROW_KEPT_MS, enforced: false },
  });
  return [...rules, ...budgetsFor(sends, request, destination, now)];
}

/** Waiting costs whoever has many addresses nothing: it is for the few who cannot do anything else. */
const waiting = (ip: string): Rule => ({
  ...{
    rule: 'network',
    key: `waited:${networkKey(ip)}`,
    kind: 'times',
    limits: [{ count: 5, withinMs: DAY_MS / 24 }],
  },
  ...{ mode: 'enforce', enforced: true },
});

/** Nothing is held back by a rule that only records, nor by a challenge that was passed. */
export const isEnforced = (mode: Mode, { passed = null }: SendRequest): boolean =>
  mode === 'enforce' || (mode === 'challenge' && passed === null);

/** Of the budgets those that a message counts against, each with its row and what the list says it costs. */
function budgetsOf(
  sends: SendsDocument,
  to: { number: string; appId: string | null; channel: string; country: string | null },
  day: number,
) {
  const prices = parsePrices(sends.prices);
  return sends.budgets.flatMap((budget) => {
    if (budget.app !== undefined && budget.app !== to.appId) return [];
    if (budget.country !== undefined && budget.country !== to.country) return [];
    const { currency, micros } = parseMoney(budget.perDay);
    const amount = priceOf(prices, { ...to, currency })?.micros ?? 0;
    const key = ['budget', budget.app ?? '*', budget.country ?? '*', currency, day].join(':');
    return [{ key, currency, amount, most: micros, mode: budget.whenSpent }];
  });
}

const SPENT = 'spent';

/** The one row per budget and day makes it exact: whoever sets a budget has its messages wait for each other. */
function budgetsFor(sends: SendsDocument, request: SendRequest, { country }: Destination, now: Date): Rule[] {
  const { appId = null, channel = 'sms', number } = request;
  const to = { number: number ?? '', appId, channel, country };
  return budgetsOf(sends, to, dayOf(now)).map(({ amount, key, mode, most }): Rule => {
    const spent = { kind: 'sum' as const, mark: SPENT, amount, most, keptMs: 2 * DAY_MS };
    return { ...spent, rule: 'budget', key, mode, enforced: isEnforced(mode, request) };
  });
}

/**
 * Sets budgets right by the difference between what the list says and what a message has cost. The sum of the day is
 * then what the gateways charge, whichever of them took the message: a price that was learned of the last one would still
 * be a guess about the next.
 */
export function correctionsOf(sends: SendsDocument, paid: PaidSend): Settlement[] {
  const price = parseMoney(`${paid.amount} ${paid.currency}`);
  const destination = destinationOf(paid.number);
  if (destination === null) return [];
  return budgetsOf(sends, { ...paid, country: destination.country }, dayOf(paid.at)).flatMap(
    ({ amount, currency, key }): Settlement[] =>
      currency === price.currency && amount !== price.micros
        ? [{ key, mark: SPENT, add: price.micros - amount }]
        : [],
  );
}

/** What a verified code takes back. In the order of {@link rulesFor}. */
export function settlementsOf(crypto: Crypto, verified: VerifiedSend): Settlement[] {
  const { ip, deviceId = null, number = null, sentAt = null, count = 1, loginId = null } = verified;
  const { toNumber = count } = verified;
  const { address, network } = originKeys(ip, deviceId);
  const destination = number === null ? null : destinationOf(number);
  const country = countryOf(destination);
  return [
    { key: address, times: count },
    ...(network === null ? [] : [{ key: network, times: count }]),
    ...(country === null ? [] : [{ key: countriesKey(ip), drop: country }]),
    ...(destination === null ? [] : [{ key: prefixKey(crypto, destination), times: toNumber }]),
    ...(country === null || sentAt === null
      ? []
      : [notAgainst({ country, sentAt, count: toNumber, loginId })]),
  ];
}

/** The messages do not count against the country's conversion. */
export function notAgainst(sent: {
  country: string;
  sentAt: Date;
  count: number;
  loginId: string | null;
}): Settlement {
  const key = countryKey(sent.country, dayOf(sent.sentAt), shardOf(sent.loginId));
  return { key, mark: `v${hourOf(sent.sentAt)}`, add: sent.count };
}

/** Undoes one entry of a message that was not sent after all. */
export function takenBack(entry: Entry, before: Record<string, number>): Settlement[] {
  const { key } = entry;
  switch (entry.kind) {
    case 'times':
      return [{ key, times: 1 }];
    case 'tags':
      return before[entry.mark] === undefined ? [{ key, drop: entry.mark }] : [];
    case 'sum':
      return [{ key, mark: entry.mark, add: -entry.amount }];
  }
}
