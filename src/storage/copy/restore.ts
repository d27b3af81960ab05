import type { Migration } from 'kysely/migration';
import type { Clock } from '../../lib/clock.ts';
import { WrongSchema } from '../errors.ts';
import { migrate } from '../migrate.ts';
import type { Db, Snapshot } from '../types.ts';
import { demandEmpty, writeSnapshot } from './tables.ts';

/**
 * Makes the tables as they were when the snapshot was taken, fills them, and migrates them with their rows to this
 * version. Only the filling writes rows, and it is one transaction.
 */
export async function restore(
  db: Db,
  snapshot: Snapshot,
  migrations: Record<string, Migration>,
  clock: Clock,
): Promise<number> {
  const unknown = snapshot.migrations.filter((name) => !(name in migrations));
  if (unknown.length > 0) {
    throw new WrongSchema(
      `The backup is newer than this version: it has ${unknown.join(', ')}. Use the version that wrote it, or a later one.`,
    );
  }
  await demandEmpty(db);
  const then = Object.entries(migrations).filter(([name]) => snapshot.migrations.includes(name));
  try {
    await migrate(db, Object.fromEntries(then), clock);
  } catch (error) {
    if (!(error instanceof WrongSchema)) throw error;
    throw new WrongSchema(
      'The backup is older than the tables of the target. Give a database without tables: they are made and migrated.',
    );
  }
  const rows = await writeSnapshot(db, snapshot);
  await migrate(db, migrations, clock);
  return rows;
}
