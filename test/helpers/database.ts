/**
 * Databases for tests: PostgreSQL, a copy of a migrated template, and the embedded one, a copy of a migrated folder.
 *
 * `test/run.js` starts one server for all files (`test/global-setup.ts`, which puts its URL into the environment).
 * A file that is run alone with `node --test` starts a server of its own at the first need, and stops it at its end.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import pg from 'pg';
import root, { type Test } from 'tap';
import { migrations } from '../../migrations/index.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Logger } from '../../src/lib/log.ts';
import { openStorage } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { plantedFolder } from './embedded-seed.ts';
import { silent } from './log.ts';
import { startPostgres, TEMPLATE } from './postgres-server.ts';

export type DatabaseKind = Storage['kind'];

export interface DatabaseOptions {
  clock?: Clock;
  log?: Logger;
  poolSize?: number;
  /** False: an empty database, without any table. */
  migrated?: boolean;
}

export interface TestDatabase {
  storage: Storage;
  /** Null for the embedded one. */
  url: string | null;
  /** Another storage on the same database, as a second instance would have. PostgreSQL only. */
  another(options?: DatabaseOptions): Promise<Storage>;
  /** Closes every storage and drops the database. */
  close(): Promise<void>;
}

/** A new database with the tables of all migrations. Close it, in `t.teardown`. */
export async function openTestDatabase(
  kind: DatabaseKind,
  options: DatabaseOptions = {},
): Promise<TestDatabase> {
  const { migrated = true } = options;
  const url = kind === 'postgres' ? await createDatabase(migrated) : null;
  const folder = kind === 'embedded' ? await plantedFolder(migrated ? 'migrated' : 'blank') : null;
  const open = async ({ clock = systemClock, log = silent, poolSize = 20 }: DatabaseOptions) => {
    const place = { databaseUrl: url, dataDir: folder ?? '' };
    const storage = await openStorage({ ...place, migrations, clock, log, poolSize });
    opened.push(storage);
    return storage;
  };
  const opened: Storage[] = [];
  return {
    storage: await open(options),
    url,
    another(more = {}) {
      if (kind === 'embedded') throw new Error('the embedded database has one process only');
      return open({ ...options, ...more });
    },
    async close() {
      await Promise.all(opened.map((storage) => storage.close()));
      if (url) await dropDatabase(url);
      if (folder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `work` as a subtest on each kind of database, each time with a new one. */
export async function forEachDatabase(
  t: Test,
  work: (t: Test, storage: Storage, database: TestDatabase) => Promise<void>,
  options: DatabaseOptions = {},
): Promise<void> {
  for (const kind of ['postgres', 'embedded'] as const) await on(kind, t, work, options);
}

/** Runs `work` as a subtest on PostgreSQL: for races, which the embedded database hides, and for several instances. */
export async function postgresOnly(
  t: Test,
  work: (t: Test, storage: Storage, database: TestDatabase) => Promise<void>,
  options: DatabaseOptions = {},
): Promise<void> {
  await on('postgres', t, work, options);
}

async function on(
  kind: DatabaseKind,
  t: Test,
  work: (t: Test, storage: Storage, database: TestDatabase) => Promise<void>,
  options: DatabaseOptions,
): Promise<void> {
  await t.test(kind, async (t) => {
    const database = await openTestDatabase(kind, options);
    t.teardown(() => database.close());
    await work(t, database.storage, database);
  });
}

let server: Promise<(database: string) => string> | undefined;

/** The server of this run, or one of our own. */
function serverUrl(): Promise<(database: string) => string> {
  server ??= (async () => {
    const shared = process.env.SALLYPORT_TEST_POSTGRES;
    if (shared) return (database: string) => new URL(`/${database}`, shared).href;
    const own = await startPostgres();
    root.teardown(() => own.stop());
    return own.url;
  })();
  return server;
}

async function createDatabase(migrated: boolean): Promise<string> {
  const url = await serverUrl();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(url, `create database ${name} template ${migrated ? TEMPLATE : 'template0'}`);
  return url(name);
}

async function dropDatabase(url: string): Promise<void> {
  await administer(await serverUrl(), `drop database ${new URL(url).pathname.slice(1)} with (force)`);
}

async function administer(url: (database: string) => string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url('postgres') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
