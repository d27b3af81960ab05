import { type Expression, type OperationNodeSource, type QueryCreator, type RawBuilder, sql } from 'kysely';
import type { Database, Db } from './types.ts';

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
export const withRiders = (db: Db, riders: Rider[]): QueryCreator<Database> =>
  riders.reduce<QueryCreator<Database>>(
    (creator, rider, n) =>
      creator.with(
        `rider_${n}`,
        () => rider as unknown as Expression<object>,
      ) as unknown as QueryCreator<Database>,
    db,
  );

/** Sends riders that have no other statement to go with. */
export async function sendRiders(db: Db, riders: Rider[]): Promise<void> {
  await withRiders(db, riders).selectNoFrom(sql.lit(1).as('sent')).execute();
}
