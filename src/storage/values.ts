import { type Expression, type OperationNodeSource, type QueryCreator, type RawBuilder, sql } from 'kysely';
import type { Database, Db, Tx } from './types.ts';

/**
 * A value for a jsonb column. Both drivers are handed a string and the server casts it; given an object, one of them
 * would turn an array into a PostgreSQL array.
 */
export function json<T>(value: T): RawBuilder<T> {
  return sql<T>`${JSON.stringify(value)}::jsonb`;
}

const INT8 = 20;
const DATE = 1082;

/**
 * Where the drivers differ in what they give back, and what both give here: `bigint` a number (ours are counts, far
 * below 2^53), `date` its text. Timestamps are Date and jsonb is parsed on both anyway.
 */
export const parsers: Record<number, (value: string) => unknown> = {
  [INT8]: Number,
  [DATE]: (value) => value,
};

/**
 * A write that goes out within another statement instead of in one of its own: a round trip less. It sees nothing of
 * that statement and happens whether or not that one finds a row, so the caller rolls back where that matters.
 */
export type Rider = OperationNodeSource;

/** What to begin a statement with, so that the riders go along (PostgreSQL, 7.8.4: data-modifying statements in WITH). */
export const withRiders = (db: Db, riders: Rider[]): QueryCreator<Database> => within(db, 'rider', riders);

const within = (creator: QueryCreator<Database>, name: string, writes: Rider[]): QueryCreator<Database> =>
  writes.reduce(
    (before, write, n) =>
      before.with(
        `${name}_${n}`,
        () => write as unknown as Expression<object>,
      ) as unknown as QueryCreator<Database>,
    creator,
  );

/** Sends riders that have no other statement to go with. */
export async function sendRiders(db: Db, riders: Rider[]): Promise<void> {
  await withRiders(db, riders).selectNoFrom(sql.lit(1).as('sent')).execute();
}

/** A write that only counts when it finds its row; with `returning`, so that this can be told. */
export type Guard = Rider;

const DIVISION_BY_ZERO = '22012';

/**
 * Guards and riders as one statement, which is a transaction without the round trips of one: all of it happens, or
 * nothing at all when a guard finds no row. Guards take their rows in the order given. Of many at once exactly one gets
 * true. Within a transaction that one is of no more use after a false.
 */
export async function writeTogether(db: Db, guards: Guard[], riders: Rider[]): Promise<boolean> {
  const guarded = within(withRiders(db, riders), 'guard', guards);
  // The one way to undo a statement from within, without a function in the database: an error.
  const found = guards.map((_, n) => sql`(select count(*) from ${sql.table(`guard_${n}`)})`);
  const all = sql<number>`1 / least(${found.length > 0 ? sql.join(found) : sql.lit(1)})`;
  try {
    await guarded.selectNoFrom(all.as('all')).execute();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === DIVISION_BY_ZERO) return false;
    throw error;
  }
}

/** One guard alone, for a transaction: whether it found its row. */
export async function happened(tx: Tx, guard: Guard): Promise<boolean> {
  const found = sql<number>`(select count(*) from guard_0)`;
  const { n } = await within(tx, 'guard', [guard]).selectNoFrom(found.as('n')).executeTakeFirstOrThrow();
  return n > 0;
}
