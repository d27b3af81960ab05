import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import t from 'tap';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

async function until(done: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await done())) {
    if (performance.now() > end) throw new Error('did not happen in time');
    await sleep(50);
  }
}

t.test('a job is done after its transaction, and not without it', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const done: unknown[] = [];
    let failures = 1;
    storage.jobs.define('test.note', async (data) => {
      // At least once: the first try of one of them fails.
      if ((data as { n: number }).n === 2 && failures-- > 0) throw new Error('try again');
      done.push(data);
    });
    await t.rejects(
      storage.transaction((tx) => storage.jobs.add(tx, 'test.note', {})),
      /before the start/,
    );
    await storage.start();
    t.throws(() => storage.jobs.define('test.late', async () => {}), /after the start/);

    await storage.transaction((tx) => storage.jobs.add(tx, 'test.note', { n: 1 }));
    await storage.transaction((tx) => storage.jobs.add(tx, 'test.note', { n: 2 }));
    await storage.transaction((tx) => storage.jobs.add(tx, 'test.note', { n: 3 }, { afterMs: 3_600_000 }));
    const failed = storage.transaction(async (tx) => {
      await storage.jobs.add(tx, 'test.note', { n: 4 });
      throw new Error('no');
    });
    await t.rejects(failed, { message: 'no' });

    await until(() => done.length >= 2);
    await sleep(300);
    t.strictSame(new Set(done), new Set([{ n: 1 }, { n: 2 }]));
  });
});

t.test('upkeep gives the planner fresh statistics, every hour', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    await storage.start();
    const { rows } = await sql`select name, cron, timezone from pgboss.schedule`.execute(storage.db);
    t.strictSame(rows, [{ name: 'storage.upkeep', cron: '17 * * * *', timezone: 'UTC' }]);
    await storage.transaction((tx) => storage.jobs.add(tx, 'storage.upkeep', {}));
    await t.resolves(
      until(async () => {
        const stat = await sql<{ done: boolean }>`
          select last_analyze is not null as done from pg_stat_user_tables where relname = 'counters'`.execute(
          storage.db,
        );
        return stat.rows[0]?.done === true;
      }),
    );
  });
});

t.test('two instances do a job once', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const done: unknown[] = [];
    const all = [storage, await database.another()];
    for (const one of all) one.jobs.define('test.note', async (data) => void done.push(data));
    await Promise.all(all.map((one) => one.start()));
    for (let n = 0; n < 10; n++) {
      await storage.transaction((tx) => storage.jobs.add(tx, 'test.note', { n }));
    }
    await until(() => done.length >= 10, 40_000);
    t.equal(new Set(done.map((data) => (data as { n: number }).n)).size, 10);
    t.equal(done.length, 10);
  });
});
