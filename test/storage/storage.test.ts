import { sql } from 'kysely';
import t from 'tap';
import { json } from '../../src/storage/index.ts';
import { forEachDatabase } from '../helpers/database.ts';

t.test('both databases give back the same for every kind of value', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    const at = new Date('2026-03-01T12:34:56.789Z');
    const document = { list: ['a', { b: null }], text: "it's ü", n: 1.5, yes: true };
    const { rows } = await sql<Record<string, unknown>>`
      select ${at}::timestamptz as at, ${json(document)} as document, ${json(['x'])} as list, ${json('text')} as scalar,
        count(*) as n, 9007199254740991::bigint as big, date '2026-03-01' as day, true as yes, null::text as nothing,
        array['a', 'b'] as words, array[1, 2] as numbers`.execute(db);
    t.strictSame(rows, [
      {
        at,
        document,
        list: ['x'],
        scalar: 'text',
        n: 1,
        big: Number.MAX_SAFE_INTEGER,
        day: '2026-03-01',
        yes: true,
        nothing: null,
        words: ['a', 'b'],
        numbers: [1, 2],
      },
    ]);
  });
});

t.test('a transaction that throws leaves nothing behind, one that does not stays', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const topics = async () => {
      const rows = await storage.db.selectFrom('revisions').select('topic').orderBy('topic').execute();
      return rows.map((row) => row.topic);
    };
    const failed = storage.transaction(async (tx) => {
      await storage.revisions.bump(tx, 'lost');
      throw new Error('no');
    });
    await t.rejects(failed, { message: 'no' });
    t.strictSame(await topics(), []);

    const broken = storage.transaction(async (tx) => {
      await storage.revisions.bump(tx, 'lost');
      await sql`select 1 / 0`.execute(tx).catch(() => {});
    });
    await t.rejects(broken, 'an error that was swallowed inside does not commit half of it');

    const answer = await storage.transaction(async (tx) => {
      await storage.revisions.bump(tx, 'kept');
      return 42;
    });
    t.equal(answer, 42);
    t.strictSame(await topics(), ['kept']);
  });
});

t.test('a guarded update tells how many rows it changed', async (t) => {
  await forEachDatabase(t, async (t, { db, revisions }) => {
    await revisions.bump(db, 'topic');
    const take = () =>
      db
        .updateTable('revisions')
        .set({ n: 2 })
        .where('topic', '=', 'topic')
        .where('n', '=', 1)
        .executeTakeFirst();
    t.equal((await take()).numUpdatedRows, 1n);
    t.equal((await take()).numUpdatedRows, 0n);
    const gone = await db.deleteFrom('revisions').where('n', '=', 2).returning('topic').execute();
    t.strictSame(gone, [{ topic: 'topic' }]);
  });
});
