import { sql } from 'kysely';
import pg from 'pg';
import t from 'tap';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { isDatabaseUnavailable, openStorage } from '../../src/storage/index.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import { forEachDatabase, postgresOnly, type TestDatabase } from '../helpers/database.ts';
import { recordingLog, silent } from '../helpers/log.ts';

/** Ends every other connection to the database, as a restart or a fail-over would. */
async function endConnections({ url }: TestDatabase): Promise<void> {
  const client = new pg.Client({ connectionString: url as string });
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
}

t.test('connections that the server ends cost a few statements, not the process', async (t) => {
  const log = recordingLog();
  await postgresOnly(
    t,
    async (t, { db, revisions, transaction }, database) => {
      const one = () => sql<{ one: number }>`select 1 as one`.execute(db);
      await Promise.all(Array.from({ length: 8 }, one));
      await endConnections(database);
      await new Promise((resolve) => setTimeout(resolve, 100));
      t.ok(log.lines.some((line) => /lost an idle database connection/.test(line.message)));
      await t.resolves(one(), 'idle ones are replaced');

      const busy = sql`select pg_sleep(10)`.execute(db).catch((error: unknown) => error);
      const inside = transaction(async (tx) => {
        await revisions.bump(tx, 'lost');
        await sql`select pg_sleep(10)`.execute(tx);
      }).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await endConnections(database);
      t.ok(isDatabaseUnavailable(await busy), 'a statement under way says that the database is away');
      t.ok(isDatabaseUnavailable(await inside), 'so does a transaction');
      // An idle one that was ended has to be noticed before it is asked.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await t.resolves(one(), 'and the next one works');
      t.strictSame(await db.selectFrom('revisions').selectAll().execute(), []);
    },
    { log },
  );
});

t.test('a server that is not there is told apart from a fault of ours', async (t) => {
  const storage = await openStorage({
    databaseUrl: 'postgres://postgres@127.0.0.1:1/none',
    dataDir: '',
    migrations,
    clock: systemClock,
    log: silent,
  });
  const error = await storage.ready().catch((error: unknown) => error);
  t.ok(isDatabaseUnavailable(error), String(error));
  await t.resolves(storage.close(), 'and can be closed');
});

t.test('a statement that takes too long fails, and its connection is not used again', async (t) => {
  await postgresOnly(t, async (t, _, { url }) => {
    const engine = openPostgres({ url: url as string, size: 1, log: silent, queryTimeoutMs: 300 });
    const backend = async () => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(engine.db);
      return rows[0]?.pid;
    };
    const before = await backend();
    const error = await sql`select pg_sleep(5)`.execute(engine.db).catch((error: unknown) => error);
    t.ok(isDatabaseUnavailable(error), String(error));
    t.not(await backend(), before);
    await engine.withoutTimeouts((db) => t.resolves(sql`select pg_sleep(0.5)`.execute(db), 'migrations may'));
    await engine.close();
  });
});

t.test('more work than connections waits its turn', async (t) => {
  await postgresOnly(
    t,
    async (t, { db }) => {
      const rows = await Promise.all(
        Array.from({ length: 40 }, () => sql`select pg_sleep(0.01)`.execute(db)),
      );
      t.equal(rows.length, 40);
    },
    { poolSize: 2 },
  );
});

t.test('faults of a statement are not the database being away', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    for (const statement of ['select nonsense', 'select 1 / 0', 'insert into revisions values (null, 1)']) {
      const error = await sql
        .raw(statement)
        .execute(db)
        .catch((error: unknown) => error);
      t.ok(error instanceof Error && !isDatabaseUnavailable(error), statement);
    }
    t.notOk(isDatabaseUnavailable(Object.assign(new Error('open'), { code: 'ENOENT', syscall: 'open' })));
    t.notOk(isDatabaseUnavailable(undefined));
  });
});

t.test('a closed embedded database is away', async (t) => {
  const storage = await openStorage({
    databaseUrl: null,
    dataDir: 'memory://',
    migrations,
    clock: systemClock,
    log: silent,
  });
  await sql`select 1`.execute(storage.db);
  await storage.close();
  const error = await storage.ready().catch((error: unknown) => error);
  t.ok(isDatabaseUnavailable(error), String(error));
});

const prepared = (storage: TestDatabase['storage']) =>
  sql<{ statement: string }>`select statement from pg_prepared_statements`
    .execute(storage.db)
    .then(({ rows }) => rows.map((row) => row.statement));

t.test('a statement that comes again is prepared under a name, unless the URL forbids it', async (t) => {
  await postgresOnly(
    t,
    async (t, storage, { url }) => {
      const look = (db = storage.db) =>
        db.selectFrom('revisions').select('n').where('topic', '=', 'a').execute();
      await look();
      t.strictSame(await prepared(storage), [], 'not at first');
      await look();
      await look();
      t.strictSame((await prepared(storage)).filter((text) => /from "revisions"/.test(text)).length, 1);

      const plain = await openStorage({
        databaseUrl: `${url}?prepared_statements=false`,
        dataDir: '',
        migrations,
        clock: systemClock,
        log: silent,
        poolSize: 1,
      });
      for (let i = 0; i < 3; i++) await look(plain.db);
      t.strictSame(await prepared(plain), []);
      await plain.close();
    },
    { poolSize: 1 },
  );
});

t.test('a table that a newer instance alters does not break prepared statements', async (t) => {
  await postgresOnly(
    t,
    async (t, { db, transaction }) => {
      const look = (handle = db) => handle.selectFrom('revisions').selectAll().execute();
      for (let i = 0; i < 3; i++) await look();
      await sql`alter table revisions add column more text`.execute(db);
      t.strictSame(await look(), [], 'tried again without a name');

      for (let i = 0; i < 3; i++) await look();
      await sql`alter table revisions add column even_more text`.execute(db);
      const error = await transaction((tx) => look(tx)).catch((error: unknown) => error);
      t.ok(isDatabaseUnavailable(error), 'a transaction cannot be repeated here: its caller may');
      t.strictSame(await transaction((tx) => look(tx)), [], 'and then it works, on another connection');
    },
    { poolSize: 1 },
  );
});
