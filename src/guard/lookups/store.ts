import { sql } from 'kysely';
import type { Db } from '../../storage/types.ts';

/** What was said about a number. */
interface NumberLookupsTable {
  /** Keyed hash. */
  number_hash: string;
  line_type: string | null;
  sim_swapped_at: Date | null;
  looked_up_at: Date;
  expires_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    number_lookups: NumberLookupsTable;
  }
}

export interface Kept {
  lineType: string | null;
  simSwappedAt: Date | null;
}

export async function findLookup(db: Db, numberHash: string, now: Date): Promise<Kept | null> {
  const row = await db
    .selectFrom('number_lookups')
    .select(['line_type as lineType', 'sim_swapped_at as simSwappedAt'])
    .where('number_hash', '=', numberHash)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row ?? null;
}

/** Of two answers at once the one that was asked for last stays. */
export async function keepLookup(
  db: Db,
  numberHash: string,
  { lineType, simSwappedAt }: Kept,
  expiresAt: Date,
  now: Date,
): Promise<void> {
  const values = {
    ...{ line_type: lineType, sim_swapped_at: simSwappedAt },
    ...{ looked_up_at: now, expires_at: expiresAt },
  };
  await db
    .insertInto('number_lookups')
    .values({ number_hash: numberHash, ...values })
    .onConflict((conflict) =>
      conflict
        .column('number_hash')
        .doUpdateSet(values)
        .where(sql<boolean>`number_lookups.looked_up_at <= ${now}::timestamptz`),
    )
    .execute();
}
