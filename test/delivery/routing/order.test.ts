import t from 'tap';
import type { ChannelDocument } from '../../../src/delivery/routing/document.ts';
import { order, type Routed } from '../../../src/delivery/routing/order.ts';

const providers = ['a', 'b', 'c', 'd'].map((id) => ({ id }));

/** To a British number, for the app `shop`. */
const routed = (changes: Partial<Routed> = {}): Routed => ({
  ...{ to: '+447700900123', country: () => 'GB', app: 'shop' },
  ...changes,
});

const idsOf = (channel: Partial<ChannelDocument> | undefined, message = routed(), draws: number[] = []) =>
  order(channel && { id: 'sms', ...channel }, providers, message, () => draws.shift() ?? 0)
    .map(({ id }) => id)
    .join('');

t.test('who is asked', async (t) => {
  const gb = { countries: ['GB', 'IE'], providers: ['b'] };
  const shop = { apps: ['shop'], providers: ['c', 'a'] };
  const mobile = { prefixes: ['+4474', '+4477'], providers: ['d'] };
  const noShop = routed({ app: 'mail' });
  const us = routed({ to: '+12025550123', country: () => 'US' });
  for (const [name, channel, expected, message] of [
    ['nothing is said', undefined, 'abcd'],
    ['only a workflow is said', { workflow: [] }, 'abcd'],
    ['a list of its own, the others not', { providers: ['c', 'a'] }, 'ca'],
    ['who is not there is passed over', { providers: ['off', 'b'] }, 'b'],
    ['named twice, asked once', { providers: ['a', 'b', 'a'] }, 'ab'],
    ['by country', { providers: ['a'], routes: [gb] }, 'b'],
    ['another country', { providers: ['a'], routes: [gb] }, 'a', us],
    ['another country, no list', { routes: [gb] }, 'abcd', us],
    ['no country', { providers: ['a'], routes: [gb] }, 'a', routed({ country: () => null })],
    ['by prefix', { routes: [mobile] }, 'd'],
    ['another prefix', { routes: [mobile] }, 'abcd', routed({ to: '+447500900123' })],
    ['by app', { routes: [shop] }, 'ca'],
    ['another app', { routes: [shop] }, 'abcd', noShop],
    ['no app', { routes: [shop] }, 'abcd', routed({ app: null })],
    ['the first that fits', { routes: [shop, gb] }, 'ca'],
    ['the first that fits, the other way round', { routes: [gb, shop] }, 'b'],
    ['all that a route says', { routes: [{ ...gb, apps: ['mail'] }, mobile] }, 'd'],
    ['all that a route says, and it fits', { routes: [{ ...gb, apps: ['mail'] }, mobile] }, 'b', noShop],
  ] as [string, Partial<ChannelDocument> | undefined, string, Routed?][]) {
    t.equal(idsOf(channel, message), expected, name);
  }
});

t.test('the country is looked up only for routes that ask', async (t) => {
  let asked = 0;
  const country = () => {
    asked += 1;
    return 'GB';
  };
  idsOf({ routes: [{ prefixes: ['+1'], providers: ['a'] }] }, routed({ country }));
  idsOf({ routes: [{ apps: ['mail'], countries: ['GB'], providers: ['a'] }] }, routed({ country }));
  t.equal(asked, 0);
  idsOf({ routes: [{ countries: ['GB'], providers: ['a'] }] }, routed({ country }));
  t.equal(asked, 1);
});

t.test('shares of the traffic', async (t) => {
  const split = { providers: [{ split: { a: 80, b: 20 } }, 'c'] };
  for (const [draw, expected] of [
    [0, 'abc'],
    [0.79, 'abc'],
    [0.8, 'bac'],
    [0.999, 'bac'],
  ] as const) {
    t.equal(idsOf(split, routed(), [draw, 0]), expected, String(draw));
  }
  const three = { providers: [{ split: { a: 1, b: 1, c: 2 } }] };
  t.equal(idsOf(three, routed(), [0.6, 0.6, 0]), 'cba', 'who loses is drawn again among the rest');

  const first = new Map<string, number>();
  for (let n = 0; n < 10_000; n++) {
    const [id = ''] = idsOf(split, routed(), [Math.random(), Math.random()]);
    first.set(id, (first.get(id) ?? 0) + 1);
  }
  t.ok(Math.abs((first.get('a') ?? 0) - 8_000) < 250, `${first.get('a')} of 10000 go to the one with 80 %`);
});
