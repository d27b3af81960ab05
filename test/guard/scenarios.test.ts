import t from 'tap';
import { sendRiders } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, openTestDatabase } from '../helpers/database.ts';
import { at, crypto, DAY, defaults, guardOn, HOUR, MINUTE, start, times, verified } from './fixture.ts';

type Guard = ReturnType<typeof guardOn>;

interface Attempt {
  number: string;
  ip: string;
  seconds: number;
  user?: string | null;
  app?: string;
  login?: string;
}

const requestOf = ({ app, ip, login, number, user = null }: Attempt) => ({
  ...{ number, ip, userId: user, channel: 'sms', appId: app ?? 'shop', loginId: login ?? number },
  numberHash: crypto.mac('identifier', number),
});

const ask = (guard: Guard, attempt: Attempt) => guard.allowSend(requestOf(attempt), at(attempt.seconds));

const verify = (guard: Guard, { db }: Storage, { ip, login, number, seconds }: Attempt) =>
  verified(guard, db, { ip, number, loginId: login ?? number, sentAt: at(seconds) });

/** Each address another one, in another network. */
const address = (n: number) => `${20 + (n % 90)}.${Math.floor(n / 90) % 250}.${n % 250}.7`;

/** German mobile numbers that share few digits. */
const german = (n: number) => `+49151${String((n * 7_919_317 + 1_234_567) % 100_000_000).padStart(8, '0')}`;

/** A week of a country as it would stand in the counters. */
async function seedWeek({ db }: Storage, country: string, perHour: number, share: number): Promise<void> {
  const today = Math.floor(start.getTime() / (DAY * 1000));
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const marks = Object.fromEntries(
    hours.flatMap((hour) => [
      [`s${hour}`, perHour],
      [`v${hour}`, Math.round(perHour * share)],
    ]),
  );
  for (let ago = 1; ago <= 7; ago += 1) {
    await db
      .insertInto('send_histories')
      .values({
        ...{
          key: `country:${country}:${today - ago}:0`,
          times: '[]' as never,
          blocks: 0,
          blocked_until: null,
        },
        ...{ marks: JSON.stringify(marks) as never, expires_at: at(9 * DAY) },
      })
      .execute();
  }
}

t.test('an attack on numbers that share all but the last four digits ends after 25 messages', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const guard = guardOn(storage);
    let sent = 0;
    const rules = new Set<string>();
    for (let n = 0; n < 500; n += 1) {
      const number = `+99890123${String(n).padStart(4, '0')}`;
      const answer = await ask(guard, { number, ip: address(n), seconds: n * 5 });
      if (answer.allowed) sent += 1;
      else rules.add(answer.rule);
    }
    t.equal(sent, 10);
    t.strictSame([...rules], ['prefix']);

    const later = await ask(guard, { number: '+998901239999', ip: '9.9.9.9', seconds: 6 * HOUR });
    t.match(later, { allowed: false, rule: 'prefix' }, 'and is still over hours later');
    const other = await ask(guard, { number: '+998901459999', ip: '9.9.9.9', seconds: 6 * HOUR });
    t.match(other, { allowed: true }, 'other numbers of the country lost nothing');
  }),
);

t.test('the block ends, and lasts longer the next time', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const guard = guardOn(storage);
    let n = 0;
    const burst = async (seconds: number) => {
      for (let i = 0; i < 10; i += 1) {
        n += 1;
        t.match(
          await ask(guard, { number: `+49151234${String(n).padStart(5, '0')}`, ip: address(n), seconds }),
          { allowed: true },
        );
      }
      n += 1;
      return ask(guard, { number: `+49151234${String(n).padStart(5, '0')}`, ip: address(n), seconds });
    };
    t.match(await burst(0), { allowed: false, retryAt: at(12 * HOUR) });
    t.match(await burst(12 * HOUR), { allowed: false, retryAt: at(36 * HOUR) });
  }),
);

t.test('a rush of twice the usual in which seven of ten type the code loses none', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const usual = 60;
    await seedWeek(storage, 'DE', usual, 0.7);
    const guard = guardOn(storage, defaults({ sends: { home: ['DE'] } }));
    const refused: string[] = [];
    const waiting: Attempt[] = [];
    for (let n = 0; n < 2 * usual; n += 1) {
      const attempt = { number: german(n), ip: address(n % 40), seconds: n * 30, user: `usr_${n}` };
      const answer = await ask(guard, attempt);
      if (!answer.allowed) refused.push(answer.rule);
      waiting.push(attempt);
      // A minute until a code is typed; three of ten never do.
      const typed = n >= 2 ? waiting[n - 2] : undefined;
      if (typed && (n - 2) % 10 < 7) await verify(guard, storage, typed);
    }
    t.strictSame(refused, []);
    const pumped: string[] = [];
    for (let n = 0; n < 200; n += 1) {
      const answer = await ask(guard, { number: german(5_000 + n), ip: address(300 + n), seconds: HOUR + n });
      if (!answer.allowed) pumped.push(answer.rule);
    }
    t.ok(pumped.length > 150, `of 200 that nobody types ${pumped.length} are held`);
    t.strictSame([...new Set(pumped)], ['conversion']);
  }),
);

t.test('a country that nobody lives in gets three that nobody types', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const guard = guardOn(storage, defaults({ sends: { home: ['DE'] } }));
    const to = (n: number, seconds: number) =>
      ask(guard, { number: `+4477009${String(n * 1_007).padStart(5, '0')}`, ip: address(n), seconds });
    for (let n = 0; n < 3; n += 1) t.match(await to(n, n), { allowed: true });
    t.match(await to(3, 10), { allowed: false, rule: 'conversion', retryAt: at(HOUR) });
    await verify(guard, storage, { number: '+447700900000', ip: address(0), seconds: 0 });
    t.match(await to(4, 20), { allowed: true }, 'one was typed');
    t.match(await to(5, 30), { allowed: false });
  }),
);

t.test('a code that was not needed does not count against the country', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const guard = guardOn(storage, defaults({ sends: { home: ['DE'] } }));
    const to = (n: number, seconds: number) =>
      ask(guard, {
        number: `+4477009${String(n * 1_007).padStart(5, '0')}`,
        ip: address(n),
        seconds,
        login: `lgn_${n}`,
      });
    for (let n = 0; n < 12; n += 1) {
      const answer = await to(n, n);
      t.match(answer, { allowed: true, country: 'GB' });
      const sent = { country: 'GB', sentAt: at(n), count: 1, loginId: `lgn_${n}` };
      await guard.sendNotNeeded([sent]);
    }
  }),
);

t.test('four instances at once spend no more than one message beyond the budget', async (t) => {
  const database = await openTestDatabase('postgres');
  t.teardown(() => database.close());
  const document = defaults({
    sends: {
      perPrefix: [],
      prices: '# a comment\ncountry,prefix,channel,currency,price\n*,,*,EUR,0.05\nDE,,sms,EUR,0.07',
      budgets: [{ country: 'DE', perDay: '1 EUR', whenSpent: 'enforce' }],
    },
  });
  const storages = [database.storage, ...(await Promise.all([1, 2, 3].map(() => database.another())))];
  const guards = storages.map((storage) => guardOn(storage, document));
  const answers = await times(120, (n) =>
    ask(guards[n % 4] as Guard, { number: german(n), ip: address(n), seconds: 0 }),
  );
  const sent = answers.filter(({ allowed }) => allowed).length;
  t.equal(sent, 15, '15 × 0.07 is the first sum that reaches 1');
  for (const answer of answers) if (!answer.allowed) t.match(answer, { rule: 'budget' });
  const warned = answers.flatMap(({ decisions }) =>
    decisions.filter(({ figures }) => figures.percent === 80),
  );
  t.equal(warned.length, 1, 'the message that crosses four fifths says so, once');
  const tomorrow = await ask(guards[0] as Guard, { number: german(500), ip: address(1), seconds: DAY });
  t.match(tomorrow, { allowed: true });
  t.match(await ask(guards[1] as Guard, { number: '+33612345678', ip: address(2), seconds: 0 }), {
    allowed: true,
  });
});

t.test('destinations are judged by themselves', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const seen: string[] = [];
    const guard = guardOn(
      storage,
      defaults({ sends: { home: ['DE'], deny: ['KP'], modes: { 'number-type': 'enforce' } } }),
      ({ action, rule }) => seen.push(`${rule} ${action}`),
    );
    const cases: [number: string, expected: object, decided: string[]][] = [
      ['+4915112345678', { allowed: true }, ['none allow']],
      ['+33612345678', { allowed: true }, ['country record', 'none allow']],
      ['+8501921234567', { allowed: false, rule: 'country', retryAt: null }, ['country refuse']],
      ['+499001234567', { allowed: false, rule: 'number-type' }, ['number-type refuse']],
      ['+498001234567', { allowed: false, rule: 'number-type' }, ['number-type refuse']],
      ['+870773111632', { allowed: false, rule: 'number-type' }, ['country record', 'number-type refuse']],
      ['+881612345678', { allowed: false, rule: 'number-type' }, ['country record', 'number-type refuse']],
    ];
    for (const [number, expected, decided] of cases) {
      seen.length = 0;
      t.match(await ask(guard, { number, ip: address(1), seconds: 0 }), expected, number);
      t.strictSame(seen, decided, number);
    }
    const strict = guardOn(storage, defaults({ sends: { home: ['DE'], allow: ['AT'], others: 'deny' } }));
    t.match(await ask(strict, { number: '+33612345679', ip: address(9), seconds: 0 }), { rule: 'country' });
    t.match(await ask(strict, { number: '+436641234567', ip: address(9), seconds: 0 }), { allowed: true });
  }),
);

t.test('one address reaches three countries a day unless a code is typed', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const guard = guardOn(storage);
    const ip = '203.0.113.77';
    const to = (number: string, seconds: number) => ask(guard, { number, ip, seconds });
    t.match(await to('+4915112345678', 0), { allowed: true });
    t.match(await to('+33612345678', 1), { allowed: true });
    t.match(await to('+436641234567', 2), { allowed: true });
    t.match(await to('+447700900123', 3), { allowed: false, rule: 'destinations', retryAt: at(DAY) });
    t.match(await to('+33612349999', 4), { allowed: true }, 'a country that it has reached already');
    await verify(guard, storage, { number: '+33612345678', ip, seconds: 1 });
    t.match(await to('+447700900123', 5), { allowed: true });
  }),
);

t.test('each rule records, challenges or enforces', (t) =>
  forEachDatabase(t, async (t, storage) => {
    for (const mode of ['record', 'challenge', 'enforce'] as const) {
      const guard = guardOn(
        storage,
        defaults({ sends: { perNumber: ['1 in 1h'], modes: { number: mode } } }),
      );
      const number = { record: '+4915110000001', challenge: '+4915120000002', enforce: '+4915130000003' }[
        mode
      ];
      const attempt = { number, ip: address(5), seconds: 0 };
      t.match(await ask(guard, attempt), { allowed: true });
      const second = await ask(guard, { ...attempt, seconds: MINUTE });
      const passed = await guard.allowSend({ ...requestOf(attempt), passed: 'proof' }, at(2 * MINUTE));
      if (mode === 'record') {
        t.match(second, {
          allowed: true,
          decisions: [{ rule: 'number', action: 'record', figures: { used: 1, most: 1 } }, {}],
        });
        t.match(passed, { allowed: true });
      } else if (mode === 'challenge') {
        t.match(second, {
          allowed: false,
          challenge: true,
          decisions: [{ rule: 'number', action: 'challenge' }],
        });
        t.match(passed, { allowed: true, decisions: [{ rule: 'number', action: 'record' }, {}] });
      } else {
        t.match(second, {
          allowed: false,
          challenge: false,
          decisions: [{ rule: 'number', action: 'refuse' }],
        });
        t.match(passed, { allowed: false });
      }
    }
  }),
);

t.test('what was decided is written down without the number', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const guard = guardOn(storage, defaults({ sends: { home: ['DE'] } }));
    const answer = await ask(guard, {
      number: '+33612345678',
      ip: '203.0.113.1',
      seconds: 0,
      login: 'lgn_x',
    });
    await sendRiders(storage.db, guard.recordingSend(storage.db, answer, at(0)));
    const rows = await storage.db.selectFrom('send_decisions').selectAll().orderBy('action').execute();
    t.match(rows, [
      { action: 'allow', rule: null, country: 'FR', prefix: '+3361', login_id: 'lgn_x', app_id: 'shop' },
      { action: 'record', rule: 'country', mode: 'record', figures: { class: 'watch' } },
    ]);
    const all = JSON.stringify([rows, await storage.db.selectFrom('send_histories').selectAll().execute()]);
    t.notMatch(all, /612345|12345678/);
  }),
);
