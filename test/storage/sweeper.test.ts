import t from 'tap';
import { after } from '../../src/lib/clock.ts';
import type { Db } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const now = new Date('2026-03-01T12:00:00.000Z');

async function fill(db: Db, prefix: string, count: number, expiresAt: Date): Promise<void> {
  const rows = Array.from({ length: count }, (_, i) => ({
    key: `${prefix}${i}`,
    newest: 0,
    counts: [],
    expires_at: expiresAt,
  }));
  await db.insertInto('counters').values(rows).execute();
}

const left = async (db: Db): Promise<number> => {
  const { n } = await db
    .selectFrom('counters')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return n;
};

t.test('removes what has expired, in as many batches as it takes, and nothing else', async (t) => {
  await forEachDatabase(t, async (t, { db, sweepNow }) => {
    await fill(db, 'old', 2_345, after(now, -1));
    await fill(db, 'now', 3, now);
    await fill(db, 'new', 10, after(now, 1));
    t.equal(await sweepNow(now), 2_345);
    t.equal(await left(db), 13);
    t.equal(await sweepNow(now), 0);
  });
});

t.test('looks at the column that was registered, and leaves rows without a moment', async (t) => {
  await forEachDatabase(t, async (t, { db, sweep, sweepNow }) => {
    sweep({ table: 'signing_keys', column: 'retired_at' });
    const key = {
      alg: 'ES256' as const,
      public_jwk: '{}' as never,
      private_sealed: 'k.x',
      created_at: now,
      signs_from: now,
    };
    await db
      .insertInto('signing_keys')
      .values([
        { ...key, kid: 'retired', generation: 1, retired_at: after(now, -1) },
        { ...key, kid: 'live', generation: 2, retired_at: null },
      ])
      .execute();
    t.equal(await sweepNow(now), 1);
    t.strictSame(await db.selectFrom('signing_keys').select('kid').execute(), [{ kid: 'live' }]);
  });
});

t.test('two instances that sweep at the same moment share the work', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const other = await database.another();
    await fill(storage.db, 'a', 9_000, after(now, -1));
    // A row that someone else is working on must not make a sweeper wait.
    await storage.transaction(async (tx) => {
      await tx.selectFrom('counters').select('key').where('key', '=', 'a17').forUpdate().execute();
      const removed = await Promise.all([storage.sweepNow(now), other.sweepNow(now), storage.sweepNow(now)]);
      t.equal(
        removed.reduce((sum, n) => sum + n, 0),
        8_999,
      );
    });
    t.equal(await other.sweepNow(now), 1);
    t.equal(await left(storage.db), 0);
  });
});
