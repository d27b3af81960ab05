import { createHmac } from 'node:crypto';
import t from 'tap';
import type { PostLookup } from '../../src/guard/lookups/service.ts';
import { lookupFaults } from '../../src/guard/lookups/settings.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { at, crypto, DAY, defaults, guardOn, HOUR, start } from './fixture.ts';

const key = Buffer.alloc(32, 6);
const lookup = { url: 'https://numbers.example.test/ask', secret: `whsec_${key.toString('base64')}` };
const number = '+4915112345678';

interface Asked {
  url: string;
  body: string;
  headers: Record<string, string>;
  options: { timeoutMs: number; allowPrivateNetwork: boolean };
}

/** A guard that asks somebody who answers so. */
function world(storage: Storage, answer: object | number | Error, written: object = {}, sends: object = {}) {
  const asked: Asked[] = [];
  const post: PostLookup = async (url, body, headers, options) => {
    asked.push({ url: url.href, body, headers, options });
    if (answer instanceof Error) throw answer;
    return typeof answer === 'number'
      ? { status: answer, body: '{}' }
      : { status: 200, body: JSON.stringify(answer) };
  };
  const loose = { perNumber: [], perUser: [], perAddress: [], perNetwork: [], perPrefix: [] };
  const conversion = { hourly: 1_000, daily: 1_000 };
  const document = defaults({
    lookup: { ...lookup, ...written },
    sends: { ...loose, conversion, ...sends },
  });
  const guard = guardOn(storage, document, () => {}, post);
  const request = (to = number) => ({
    ...{ number: to, numberHash: crypto.mac('identifier', to), userId: 'usr_1', ip: '192.0.2.1' },
    ...{ channel: 'sms', appId: 'shop', mayWait: true },
  });
  return { asked, guard, request };
}

const swapped = (secondsAgo: number) => ({ simSwappedAt: at(-secondsAgo).toISOString() });

t.test('what is known elsewhere, by rule', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const cases: [what: string, answer: object | number | Error, members: object, expected: object][] = [
      ['an ordinary number', { lineType: 'mobile' }, {}, { allowed: true }],
      ['nothing is known', { lineType: null, simSwappedAt: null }, {}, { allowed: true }],
      ['a premium one', { lineType: 'premium' }, {}, { allowed: false, rule: 'number-type' }],
      [
        'one of the internet',
        { lineType: 'voip' },
        {},
        {
          allowed: true,
          decisions: [{ rule: 'number-type', action: 'record', figures: { by: 'lookup' } }, {}],
        },
      ],
      [
        'a SIM card of yesterday',
        swapped(DAY),
        {},
        { allowed: false, rule: 'sim-swap', challenge: false, retryAt: at(2 * DAY) },
      ],
      ['one of last week', swapped(7 * DAY), {}, { allowed: true }],
      ['a clock that is ahead', swapped(-HOUR), {}, { allowed: false, retryAt: at(3 * DAY) }],
      ['another age', swapped(7 * DAY), { simSwappedWithin: '30d' }, { allowed: false, rule: 'sim-swap' }],
      ['nobody answers', new Error('refused'), {}, { allowed: true, decisions: [{ rule: 'lookup' }, {}] }],
      ['an error', 503, { onFailure: 'refuse' }, { allowed: false, rule: 'lookup', retryAt: at(60) }],
      ['a list', [], { onFailure: 'refuse' }, { allowed: false, rule: 'lookup' }],
      ['no time', { simSwappedAt: 'yesterday' }, { onFailure: 'refuse' }, { allowed: false, rule: 'lookup' }],
    ];
    for (const [n, [what, answer, members, expected]] of cases.entries()) {
      const { guard, request } = world(storage, answer, members);
      t.match(await guard.allowSend(request(`+491511234${1_000 + n * 17}`), start), expected, what);
    }
  }),
);

t.test('modes of a replaced SIM card', (t) =>
  forEachDatabase(t, async (t, storage) => {
    for (const [n, [mode, expected]] of [
      ['record', { allowed: true, decisions: [{ rule: 'sim-swap', action: 'record' }, {}] }],
      ['challenge', { allowed: false, challenge: true, decisions: [{ action: 'challenge' }] }],
      ['enforce', { allowed: false, challenge: false, decisions: [{ action: 'refuse' }] }],
    ].entries()) {
      const { guard, request } = world(storage, swapped(60), {}, { modes: { 'sim-swap': mode } });
      const asked = request(`+4915112349${100 + n}`);
      t.match(await guard.allowSend(asked, start), expected as object, String(mode));
      const passed = await guard.allowSend({ ...asked, passed: 'proof' }, start);
      t.equal(passed.allowed, mode !== 'enforce', 'a challenge that was passed lets it go');
      const late = await guard.lookUp({ ...asked, mayWait: false }, start);
      t.equal(late.allowed, mode !== 'enforce', 'where nobody can be asked for one it is only recorded');
      const follows = await guard.allowSend({ ...asked, followUp: true }, start);
      t.equal(follows.allowed, mode === 'record', 'what follows by itself cannot pass one');
    }
  }),
);

t.test('the question is signed, and asked once as long as the answer is kept', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { asked, guard, request } = world(storage, { lineType: 'mobile' }, { keep: '1h', timeout: '3s' });
    await guard.allowSend(request(), start);
    await guard.allowSend(request(), at(60));
    t.equal(asked.length, 1);
    const [{ body, headers, options, url }] = asked as [Asked];
    t.equal(url, lookup.url);
    t.strictSame(options, { timeoutMs: 3_000, allowPrivateNetwork: false });
    t.strictSame(JSON.parse(body), { number, channel: 'sms', app: 'shop' });
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const signature = createHmac('sha256', key).update(signed).digest('base64');
    t.equal(headers['webhook-signature'], `v1,${signature}`);
    await guard.lookUp(request(), at(120));
    t.equal(asked.length, 1);
    await guard.allowSend(request(), at(HOUR + 1));
    t.equal(asked.length, 2);
    const rows = JSON.stringify(await storage.db.selectFrom('number_lookups').selectAll().execute());
    t.notMatch(rows, /12345678/, 'no number is kept');
  }),
);

t.test('whom it is not asked about', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { asked, guard, request } = world(storage, swapped(60), {}, { deny: ['KP'] });
    await guard.allowSend({ ...request(), mayWait: false }, start);
    t.equal(asked.length, 0, 'of whom nobody may know that there is a number');
    await guard.allowSend({ ...request(), number: null }, start);
    await guard.allowSend(request('ada@home.example'), start);
    await guard.allowSend(request('+8501921234567'), start);
    t.equal(asked.length, 0, 'nor about what is no number, or refused anyway');
    const off = world(storage, swapped(60), { url: '' });
    t.match(await off.guard.allowSend(off.request('+4915112340000'), start), { allowed: true });
    t.match(await off.guard.lookUp(off.request('+4915112340000'), start), { allowed: true, decisions: [] });
    t.equal(off.asked.length, 0, 'nor anything where nobody is named');
  }),
);

t.test('before it is sent: told when it was asked just now, or when it forbids', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { guard, request } = world(storage, { lineType: 'voip' });
    t.match((await guard.lookUp(request(), start)).decisions, [{ rule: 'number-type', action: 'record' }]);
    t.strictSame((await guard.lookUp(request(), start)).decisions, []);
    const bad = world(storage, { lineType: 'premium' });
    for (const seconds of [0, 1]) {
      const answer = await bad.guard.lookUp(bad.request('+4915112341111'), at(seconds));
      t.match(answer, { allowed: false, decisions: [{ rule: 'number-type', action: 'refuse' }] });
    }
  }),
);

t.test('a refusal gives the money back, but not the count: asking has cost something', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const sends = { perUser: ['3 in 1h'], prices: '*,,*,EUR,0.10', budgets: [{ perDay: '5 EUR' }] };
    const { asked, guard, request } = world(storage, { lineType: 'premium' }, {}, sends);
    for (let n = 0; n < 3; n += 1) {
      const answer = await guard.allowSend(request(`+491511234222${n}`), at(n));
      t.match(answer, { allowed: false, rule: 'number-type' });
    }
    t.match(await guard.allowSend(request('+4915112342229'), at(9)), { allowed: false, rule: 'user' });
    t.equal(asked.length, 3);
    const budget = await storage.db
      .selectFrom('send_histories')
      .select('marks')
      .where('key', 'like', 'budget:%')
      .executeTakeFirstOrThrow();
    t.strictSame(budget.marks, { spent: 0 });
  }),
);

t.test('faults of the settings', async (t) => {
  const whole = defaults({ lookup }).lookup;
  t.strictSame(lookupFaults(whole), []);
  t.strictSame(lookupFaults(defaults().lookup), []);
  for (const [members, path] of [
    [{ url: 'https://' }, 'lookup.url'],
    [{ secret: 'short' }, 'lookup.secret'],
    [{ timeout: '9s' }, 'lookup.timeout'],
    [{ keep: '31d' }, 'lookup.keep'],
    [{ simSwappedWithin: '91d' }, 'lookup.simSwappedWithin'],
  ] as const) {
    t.match(lookupFaults({ ...whole, ...members }), [{ path }], path);
  }
});
