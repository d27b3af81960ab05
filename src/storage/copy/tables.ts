import { sql } from 'kysely';
import { DatabaseNotEmpty, SnapshotBroken } from '../errors.ts';
import { holdTables } from '../migrate.ts';
import type { Db, Snapshot, SnapshotTable, Tx } from '../types.ts';

/** Rows in one statement; a row is a few hundred bytes, so this stays far below a megabyte. */
const BATCH = 500;

/**
 * Hands `work` everything that the database holds at one moment. Rows travel as the JSON that PostgreSQL itself makes
 * of them: it keeps microseconds, arrays and documents, and is the same on both databases and in a file. Table
 * `migrations` is what the snapshot says of itself; jobs (schema `pgboss`) are set up by every start.
 */
export function takeSnapshot<T>(db: Db, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (tx) => {
    await sql`set transaction isolation level repeatable read, read only`.execute(tx);
    const applied = await tx.selectFrom('migrations').select('name').orderBy('name').execute();
    const tables: SnapshotTable[] = [];
    for (const name of await tablesOf(tx)) {
      tables.push({ name, count: await countRows(tx, name), rows: () => readRows(tx, name) });
    }
    return work({ migrations: applied.map((row) => row.name), tables });
  });
}

/**
 * Writes a snapshot into empty tables that have its migrations, in one transaction: whatever interrupts it leaves them
 * empty. Throws {@link DatabaseNotEmpty}, or {@link SnapshotBroken} when not every row has arrived.
 */
export function writeSnapshot(db: Db, snapshot: Snapshot): Promise<number> {
  return db.transaction().execute(async (tx) => {
    // Two copies at once, or a start that migrates: they take tables in another order, so none may begin in between.
    await holdTables(tx);
    const present = await tablesOf(tx);
    for (const { name } of snapshot.tables) {
      if (!present.includes(name))
        throw new SnapshotBroken(`it has a table ${name}, which no migration makes`);
    }
    // A gateway that runs on the same database waits here.
    const all = sql.join(present.map((name) => sql.table(name)));
    await sql`lock table ${all} in share row exclusive mode`.execute(tx);
    await demandEmpty(tx);
    let total = 0;
    for (const table of snapshot.tables) total += await writeTable(tx, table);
    return total;
  });
}

/** Throws {@link DatabaseNotEmpty} when any table has a row, whoever made it. */
export async function demandEmpty(db: Db): Promise<void> {
  for (const name of await tablesOf(db)) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db);
    if (rows.length > 0) throw new DatabaseNotEmpty(name);
  }
}

async function writeTable(tx: Tx, table: SnapshotTable): Promise<number> {
  const columns = await columnsOf(tx, table.name);
  for await (const rows of table.rows()) {
    const given = Object.keys(JSON.parse(rows[0] ?? '{}'));
    const unknown = given.find((name) => !columns.some((column) => column.name === name));
    if (unknown !== undefined) {
      throw new SnapshotBroken(`table ${table.name} has a column ${unknown}, which no migration makes`);
    }
    const written = columns.filter(({ name, computed }) => given.includes(name) && !computed);
    const names = sql.join(written.map(({ name }) => sql.ref(name)));
    // A document that is JSON's null reads like an absent one.
    const values = sql.join(
      written.map(({ name, document }) =>
        document ? sql`coalesce(${sql.ref(name)}, 'null'::jsonb)` : sql.ref(name),
      ),
    );
    await sql`
      insert into ${sql.table(table.name)} (${names})
      select ${values}
      from jsonb_populate_recordset(null::${sql.table(table.name)}, ${`[${rows.join(',')}]`}::jsonb)`.execute(
      tx,
    );
  }
  const arrived = await countRows(tx, table.name);
  if (arrived !== table.count) {
    throw new SnapshotBroken(`table ${table.name} had ${table.count} rows, and ${arrived} have arrived`);
  }
  return arrived;
}

async function* readRows(tx: Tx, table: string): AsyncIterable<string[]> {
  await sql`
    declare rows_of_table no scroll cursor for
    select to_jsonb(t)::text as line from ${sql.table(table)} as t`.execute(tx);
  for (;;) {
    const { rows } = await sql<{ line: string }>`fetch ${sql.lit(BATCH)} from rows_of_table`.execute(tx);
    if (rows.length > 0) yield rows.map(({ line }) => line);
    if (rows.length < BATCH) break;
  }
  await sql`close rows_of_table`.execute(tx);
}

async function countRows(db: Db, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::integer as n from ${sql.table(table)}`.execute(
    db,
  );
  return rows[0]?.n ?? 0;
}

/** Tables of our schema but `migrations`, each behind those that it refers to. */
async function tablesOf(db: Db): Promise<string[]> {
  const { rows: tables } = await sql<{ name: string; needs: string[] }>`
    select c.relname::text as name, coalesce(
      (select jsonb_agg(f.relname::text) from pg_constraint k join pg_class f on f.oid = k.confrelid
       where k.conrelid = c.oid and k.contype = 'f' and f.oid <> c.oid), '[]') as needs
    from pg_class c
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace and c.relname <> 'migrations'
    order by c.relname`.execute(db);
  const ordered: string[] = [];
  const add = (name: string): void => {
    if (ordered.includes(name)) return;
    for (const needed of tables.find((table) => table.name === name)?.needs ?? []) add(needed);
    ordered.push(name);
  };
  for (const { name } of tables) add(name);
  return ordered;
}

interface Column {
  name: string;
  /** JSON's null is a value there, and the absence of one is not. */
  document: boolean;
  /** The database makes the value itself. */
  computed: boolean;
}

async function columnsOf(tx: Tx, table: string): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select a.attname::text as name, a.attnotnull and a.atttypid = 'jsonb'::regtype as document,
      a.attgenerated <> '' as computed
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relname = ${table} and c.relnamespace = current_schema()::regnamespace
      and a.attnum > 0 and not a.attisdropped
    order by a.attnum`.execute(tx);
  return rows;
}
