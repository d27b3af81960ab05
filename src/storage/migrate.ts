import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Clock } from '../lib/clock.ts';
import { WrongSchema } from './errors.ts';
import type { Db, Tx } from './types.ts';

/** Any constant that no other user of the database is likely to take: "sallyport" in base 36, cut to 31 bits. */
const LOCK = 1_714_925_057;

/** Has whoever else changes tables, or fills all of them, wait until the transaction ends. */
export async function holdTables(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK}::bigint)`.execute(tx);
}

/**
 * Applies the migrations that are missing and answers their names. Everything happens in one transaction under a lock
 * that lives as long as it does: of many instances starting at once one migrates and the others find nothing to do,
 * also behind a pooler that hands every transaction another connection. A failed migration leaves nothing behind.
 */
export async function migrate(
  db: Db,
  migrations: Record<string, Migration>,
  clock: Clock,
): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    await holdTables(tx);
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null)`.execute(
      tx,
    );
    const applied = new Set(
      (await tx.selectFrom('migrations').select('name').execute()).map((row) => row.name),
    );
    refuseNewer(applied, migrations);
    const names: string[] = [];
    for (const [name, migration] of Object.entries(migrations)) {
      if (applied.has(name)) continue;
      await migration.up(tx);
      await tx.insertInto('migrations').values({ name, applied_at: clock.now() }).execute();
      names.push(name);
    }
    return names;
  });
}

/** Throws {@link WrongSchema} unless exactly our migrations are applied. */
export async function demandMigrated(db: Db, migrations: Record<string, Migration>): Promise<void> {
  const rows = await db.selectFrom('migrations').select('name').execute().catch(notMigrated);
  const applied = new Set(rows.map((row) => row.name));
  refuseNewer(applied, migrations);
  const missing = Object.keys(migrations).filter((name) => !applied.has(name));
  if (missing.length > 0) {
    throw new WrongSchema(`The database lacks migrations: ${missing.join(', ')}. Run "sallyport migrate".`);
  }
}

function refuseNewer(applied: Set<string>, migrations: Record<string, Migration>): void {
  const unknown = [...applied].filter((name) => !(name in migrations));
  if (unknown.length === 0) return;
  throw new WrongSchema(
    `The database is newer than this version: it has ${unknown.join(', ')}. Start the version that migrated it, or a later one.`,
  );
}

/** 42P01 is a table that does not exist: nothing has ever been applied. */
function notMigrated(error: unknown): { name: string }[] {
  if ((error as { code?: unknown }).code === '42P01') return [];
  throw error;
}
