import { sql } from 'kysely';
import t from 'tap';
import {
  drawn,
  type Guard,
  happened,
  json,
  type Rider,
  type Slots,
  sendRiders,
  writeTogether,
} from '../../src/storage/index.ts';
import type { Db } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';

interface Kept {
  key: string;
  newest: number;
  counts: number[];
  at: Date;
}

const keeping = drawn((db, slots: Slots<Kept>) =>
  db
    .insertInto('counters')
    .values({ key: slots.key, newest: slots.newest, counts: slots.counts, expires_at: slots.at })
    .returning('key'),
);

const keepingAll = drawn((db, slots: Slots<{ at: Date }>, rows: Slots<{ key: string; n: number }>[]) =>
  db
    .insertInto('counters')
    .values(rows.map(({ key, n }) => ({ key, newest: n, counts: sql`'{}'`, expires_at: slots.at }))),
);

const find = drawn((db, slots: Slots<{ key: string; least: number }>) =>
  db
    .selectFrom('counters')
    .select(['key', 'newest', 'counts', 'expires_at as at'])
    .where('key', '=', slots.key)
    .where('newest', '>=', slots.least)
    .where('newest', '<', 100),
);

const raising = drawn(
  (_db, slots: Slots<{ key: string; by: number }>) => sql<{ newest: number }>`
    with known as (select key from counters where key = ${slots.key})
    update counters set newest = newest + ${slots.by}::bigint from known where counters.key = known.key
    returning newest`,
);

const holding = drawn((db, slots: Slots<{ key: string }>) =>
  db.selectFrom('counters').select('key').where('key', '=', slots.key).forShare(),
);

const at = new Date('2026-05-04T03:02:01.987Z');

const kept = (key: string, newest = 1): Kept => ({ key, newest, counts: [3, 4], at });

const newestOf = (db: Db) =>
  db
    .selectFrom('counters')
    .select(['key', 'newest'])
    .orderBy('key')
    .execute()
    .then((rows) => Object.fromEntries(rows.map(({ key, newest }) => [key, newest])));

t.test('a drawn statement by itself', async (t) => {
  await forEachDatabase(t, async (t, { db, transaction }) => {
    t.strictSame(await keeping.execute(db, kept('a')), [{ key: 'a' }]);
    t.strictSame(await keeping.execute(db, kept('b', 7)), [{ key: 'b' }], 'again with other values');
    t.strictSame(await find.first(db, { key: 'a', least: 0 }), { key: 'a', newest: 1, counts: [3, 4], at });
    t.strictSame(await find.first(db, { key: 'b', least: 8 }), undefined);
    t.strictSame(await raising.execute(db, { key: 'b', by: 92 }), [{ newest: 99 }]);
    t.match(await find.first(db, { key: 'b', least: 8 }), { newest: 99 });
    await raising.execute(db, { key: 'b', by: 1 });
    t.equal(await find.first(db, { key: 'b', least: 8 }), undefined, 'what it says itself holds too');
    await t.rejects(
      transaction(async (tx) => {
        await keeping.execute(tx, kept('c'));
        throw new Error('undone');
      }),
      { message: 'undone' },
    );
    t.equal(await find.first(db, { key: 'c', least: 0 }), undefined, 'it belongs to its transaction');
  });
});

t.test('lists of different lengths', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    await keepingAll.execute(db, { at }, [{ key: 'a', n: 1 }]);
    const two = [
      { key: 'b', n: 2 },
      { key: 'c', n: 3 },
    ];
    await keepingAll.execute(db, { at }, two);
    await sendRiders(db, [keepingAll({ at }, [{ key: 'd', n: 4 }])]);
    t.strictSame(await newestOf(db), { a: 1, b: 2, c: 3, d: 4 });
  });
});

t.test('JSON', async (t) => {
  const told = drawn(
    (_db, slots: Slots<{ given: unknown; at: Date; none: string | null }>) => sql`
      select ${json(slots.given)} as given, ${slots.at}::timestamptz as at, ${slots.none}::text as none`,
  );
  await forEachDatabase(t, async (t, { db }) => {
    for (const given of [{ a: [1, null, 'ü"$1'] }, [], [{ b: 1 }], 'text', 0.1, false, null]) {
      t.strictSame(await told.first(db, { given, at, none: null }), { given, at, none: null });
    }
  });
});

/** The same write as each kind of part that there is. */
const parts: Record<string, (db: Db, key: string, by: number) => Rider> = {
  'drawn, of the query builder': (_db, key, newest) => keeping(kept(key, newest)),
  'drawn, of text': (_db, key, by) => raising({ key, by }),
  'query builder': (db, key, newest) =>
    db.insertInto('counters').values({ key, newest, counts: [], expires_at: at }).returning('key'),
  text: (_db, key, by) => sql`(update counters set newest = newest + ${by} where key = ${key} returning key)`,
};

t.test('as riders and guards, among others', async (t) => {
  await forEachDatabase(t, async (t, { db, transaction }) => {
    const names = Object.keys(parts);
    for (const [n, rider] of names.entries()) {
      for (const [m, guard] of names.entries()) {
        await db.deleteFrom('counters').execute();
        await sendRiders(db, [keeping(kept('rider')), keeping(kept('guard')), keeping(kept('held'))]);
        const key = {
          rider: n % 2 === 0 ? 'new rider' : 'rider',
          guard: m % 2 === 0 ? 'new guard' : 'guard',
        };
        const writes = (): [Guard[], Rider[]] => [
          [holding({ key: 'held' }), parts[guard]?.(db, key.guard, 20) as Guard],
          [parts[rider]?.(db, key.rider, 10) as Rider],
        ];
        t.equal(await writeTogether(db, ...writes()), true, `${rider}, guarded by ${guard}`);
        const expected = { rider: 1, guard: 1, held: 1 } as Record<string, number>;
        expected[key.rider] = (expected[key.rider] ?? 0) + 10;
        expected[key.guard] = (expected[key.guard] ?? 0) + 20;
        t.strictSame(await newestOf(db), expected);
        const [guards, riders] = [[holding({ key: 'nobody' })], [parts[rider]?.(db, 'rider', 1) as Rider]];
        if (n % 2 === 1)
          t.equal(await writeTogether(db, guards, riders), false, 'a guard that finds nothing');
        t.strictSame(await newestOf(db), expected, 'leaves nothing');
      }
      const write = () => parts[names[n] ?? '']?.(db, n % 2 === 0 ? `alone ${n}` : 'held', 5) as Guard;
      t.equal(await transaction((tx) => happened(tx, write())), true);
    }
    t.equal(await transaction((tx) => happened(tx, holding({ key: 'nobody' }))), false);
    t.equal(await writeTogether(db, [], [keeping(kept('riders only'))]), true);
    t.equal(await writeTogether(db, [holding({ key: 'riders only' })], []), true);
    t.equal(await writeTogether(db, [], []), true);
    await sendRiders(db, []);
  });
});

t.test('many at once', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    await keeping.execute(db, kept('one'));
    const taking = drawn((db, slots: Slots<{ key: string; from: number }>) =>
      db
        .updateTable('counters')
        .set({ newest: 50 })
        .where('key', '=', slots.key)
        .where('newest', '=', slots.from)
        .returning('key'),
    );
    const took = await Promise.all(
      Array.from({ length: 16 }, (_, n) =>
        writeTogether(db, [taking({ key: 'one', from: 1 })], [keeping(kept(`taker ${n}`))]),
      ),
    );
    t.equal(took.filter(Boolean).length, 1);
    t.equal(Object.keys(await newestOf(db)).length, 2, 'whoever lost has written nothing');
  });
});

t.test('wrong use is refused', async (t) => {
  const used = (statement: { execute(db: Db, values: never): Promise<unknown> }, values: object) =>
    statement.execute({} as Db, values as never);
  await t.rejects(used(find, { key: 'a' }), { message: /no value for "least"/ });
  const spread = drawn(
    (db, slots: Slots<{ key: string; newest: number; counts: number[]; expires_at: Date }>) =>
      db.insertInto('counters').values({ ...slots }),
  );
  await t.rejects(used(spread, kept('a')), { message: /named one by one/ });
  const twice = drawn((_db, slots: Slots<{ key: string }>) => sql`select ${slots.key}, $1`);
  await t.rejects(used(twice, { key: 'a' }), { message: /once each and in order/ });
  const more = drawn((_db, slots: Slots<{ key: string }>) => sql`select ${slots.key}, $2`);
  await t.rejects(used(more, { key: 'a' }), { message: /once each and in order/ });
});
