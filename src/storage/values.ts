import { type RawBuilder, sql } from 'kysely';
import { asJson, isSlot, type Slot } from './statements/drawn.ts';

/**
 * A value for a jsonb column, or a slot for one. Both drivers are handed a string and the server casts it; given an
 * object, one of them would turn an array into a PostgreSQL array.
 */
export function json<T>(value: Slot<T>): RawBuilder<T>;
export function json<T>(value: T): RawBuilder<T>;
export function json<T>(value: T | Slot<T>): RawBuilder<T> {
  return sql<T>`${isSlot(value) ? asJson(value) : JSON.stringify(value)}::jsonb`;
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
