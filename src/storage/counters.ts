import { type RawBuilder, sql } from 'kysely';
import { drawn, type Slots } from './statements/drawn.ts';
import type { Counters, Db } from './types.ts';

/** The window and the slot that has just begun. */
const SLOTS = 21;

/**
 * Counters with one row per key and window: the last slots stand in an array that is shifted and added to by one
 * statement. The row's lock puts simultaneous adds in order, so that of many at a limit exactly the allowed number
 * sees a count below it.
 */
export function createCounters(db: Db): Counters {
  return {
    async add(key, windowMs, now, by = 1) {
      return (await countingAlways.first(db, countedAt(key, windowMs, now, by)))?.total ?? 0;
    },

    adding(key, windowMs, now, by, when) {
      const counted = countedAt(key, windowMs, now, by);
      return when ? sql`(${counting(counted, when)})` : countingAlways(counted);
    },

    async peek(key, windowMs, now) {
      const row = await db
        .selectFrom('counters')
        .select(['newest', 'counts'])
        .where('key', '=', rowKey(key, windowMs))
        .executeTakeFirst();
      if (!row) return 0;
      const slot = Math.floor(now.getTime() / (windowMs / (SLOTS - 1)));
      return row.counts.slice(Math.max(0, slot - row.newest)).reduce((sum, n) => sum + n, 0);
    },
  };
}

interface Counted {
  key: string;
  slot: number;
  by: number;
  /** Nothing is taken from a new row. */
  added: number;
  expiresAt: Date;
}

function countedAt(key: string, windowMs: number, now: Date, by: number): Counted {
  const slotMs = windowMs / (SLOTS - 1);
  const slot = Math.floor(now.getTime() / slotMs);
  const expiresAt = new Date((slot + SLOTS) * slotMs);
  return { key: rowKey(key, windowMs), slot, by, added: Math.max(by, 0), expiresAt };
}

/** The statement that counts; answers the total of the window. */
const counting = (counted: Counted | Slots<Counted>, when: RawBuilder<boolean>) => sql<{ total: number }>`
    insert into counters as c (key, newest, counts, expires_at)
    select
      ${counted.key}::text,
      ${counted.slot}::bigint,
      array_fill(0, array[${sql.lit(SLOTS - 1)}]) || ${counted.added}::integer,
      ${counted.expiresAt}::timestamptz
    where ${when}
    on conflict (key) do update set
      newest = greatest(c.newest, excluded.newest),
      expires_at = greatest(c.expires_at, excluded.expires_at),
      counts = array(
        select greatest(0,
          coalesce(c.counts[i + least(greatest(excluded.newest - c.newest, 0), ${sql.lit(SLOTS)})::integer], 0)
          + case when i = ${sql.lit(SLOTS)} - greatest(c.newest - excluded.newest, 0)
              then ${counted.by}::integer else 0 end)
        from generate_series(1, ${sql.lit(SLOTS)}) as i
        order by i
      )
    returning (select sum(n) from unnest(c.counts) as n)::integer as total`;

const countingAlways = drawn((_db, slots: Slots<Counted>) => counting(slots, sql.lit(true)));

/** One key may be counted over several windows. */
const rowKey = (key: string, windowMs: number): string => `${key}|${windowMs}`;
