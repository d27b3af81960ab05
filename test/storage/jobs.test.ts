import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { fromKysely, PgBoss } from 'pg-boss';
import t from 'tap';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

async function until(done: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await done())) {
    if (performance.now() > end) throw new Error('did not happen in time');
    await sleep(50);
  }
}

/** As the schedule does when its minute has come. */
async function due({ db, kind }: Storage, queue: string): Promise<void> {
  const backend = kind === 'embedded' ? 'pglite' : 'postgres';
  const boss = new PgBoss({ db: fromKysely(db), backend, supervise: false, schedule: false, migrate: false });
  await boss.start();
  await boss.send(queue, {});
  await boss.stop({ graceful: false });
}

t.test('a job that fails is done again', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    let tries = 0;
    storage.jobs.define('test.note', async () => {
      if (++tries === 1) throw new Error('try again');
    });
    await storage.start();
    t.throws(() => storage.jobs.define('test.late', async () => {}), /after the start/);
    await due(storage, 'test.note');
    await t.resolves(until(() => tries === 2));
  });
});

t.test('upkeep gives the planner fresh statistics, every hour', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    await storage.start();
    const { rows } = await sql`select name, cron, timezone from pgboss.schedule`.execute(storage.db);
    t.strictSame(rows, [{ name: 'storage.upkeep', cron: '17 * * * *', timezone: 'UTC' }]);
    await due(storage, 'storage.upkeep');
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
    let done = 0;
    const all = [storage, await database.another()];
    for (const one of all) one.jobs.define('test.note', async () => void done++);
    await Promise.all(all.map((one) => one.start()));
    for (let n = 0; n < 3; n++) await due(storage, 'test.note');
    await until(() => done >= 3, 30_000);
    await sleep(500);
    t.equal(done, 3);
  });
});
