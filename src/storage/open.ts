import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { restore } from './copy/restore.ts';
import { takeSnapshot } from './copy/tables.ts';
import { createCounters } from './counters.ts';
import { openEmbedded } from './embedded.ts';
import type { Engine, OnStatement } from './engine.ts';
import { createJobs } from './jobs.ts';
import { demandMigrated, migrate } from './migrate.ts';
import { openPostgres } from './postgres.ts';
import { createRevisions } from './revisions.ts';
import { createSweeper, type Sweeper } from './sweeper.ts';
import type { Jobs, Storage } from './types.ts';

export interface StorageOptions {
  /** Null: the embedded database, under `dataDir`. */
  databaseUrl: string | null;
  /** `memory://` leaves nothing behind. Not used with a `databaseUrl`. */
  dataDir: string;
  migrations: Record<string, Migration>;
  clock: Clock;
  log: Logger;
  /** Connections at most; default 20. */
  poolSize?: number;
  /** Hears of every statement of a request; not of those of jobs, migrations and copies. */
  onStatement?: OnStatement | undefined;
}

/**
 * Opens the database; neither migrates nor starts timers. Throws `DataDirInUse` when another process holds the folder
 * of the embedded one. A server is not contacted before the first statement.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { databaseUrl, migrations, clock, log } = options;
  const engine =
    databaseUrl === null
      ? await openEmbedded(options)
      : openPostgres({ ...options, url: databaseUrl, size: options.poolSize ?? 20 });
  const { db } = engine;
  const { revisions, ticker: poller } = createRevisions(db, log);
  const sweeper = createSweeper(db, clock, log);
  const jobs = createJobs(engine, clock, log);
  sweeper.register({ table: 'counters' });
  defineUpkeep(jobs, engine, sweeper);
  let closing: Promise<void> | undefined;

  return {
    kind: engine.kind,
    db,
    pool: engine.pool,
    transaction: (work) => db.transaction().execute(work),
    counters: createCounters(db),
    revisions,
    jobs,
    sweep: sweeper.register,
    sweepNow: sweeper.sweepNow,
    migrate: () => engine.withoutTimeouts((handle) => migrate(handle, migrations, clock)),
    snapshot: (work) => engine.withoutTimeouts((handle) => takeSnapshot(handle, work)),
    restore: (snapshot) => engine.withoutTimeouts((handle) => restore(handle, snapshot, migrations, clock)),
    ready: () => demandMigrated(db, migrations),
    async start() {
      poller.start();
      sweeper.ticker.start();
      await jobs.start();
    },
    close() {
      closing ??= (async () => {
        await Promise.all([poller.stop(), sweeper.ticker.stop()]);
        await jobs.stop();
        await engine.close();
      })();
      return closing;
    },
  };
}

/**
 * Fresh statistics for the tables whose rows come and go: a plan that was made for an empty table stays slow. The
 * embedded database has nobody who cleans up after deletes either.
 */
function defineUpkeep(jobs: Jobs, engine: Engine, sweeper: Sweeper): void {
  const command = engine.kind === 'embedded' ? 'vacuum (analyze)' : 'analyze';
  jobs.define('storage.upkeep', () =>
    engine.withoutTimeouts(async (db) => {
      for (const table of new Set(sweeper.tables())) {
        await sql`${sql.raw(command)} ${sql.table(table)}`.execute(db);
      }
    }),
  );
  jobs.schedule('storage.upkeep', '17 * * * *');
}
