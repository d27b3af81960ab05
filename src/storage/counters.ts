import { type RawBuilder, sql } from 'kysely';
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
      const { rows } = await counting(key, windowMs, now, by).execute(db);
      return rows[0]?.total ?? 0;
    },

    adding: (key, windowMs, now, by, when) => sql`(${counting(key, windowMs, now, by, when)})`,

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

/** The statement that counts; answers the total of the window. */
function counting(
  key: string,
  windowMs: number,
  now: Date,
  by: number,
  when: RawBuilder<boolean> = sql.lit(true),
) {
  const slotMs = windowMs / (SLOTS - 1);
  const slot = Math.floor(now.getTime() / slotMs);
  return sql<{ total: number }>`
    insert into counters as c (key, newest, counts, expires_at)
    select
      ${rowKey(key, windowMs)}::text,
      ${slot}::bigint,
      array_fill(0, array[${sql.lit(SLOTS - 1)}]) || ${Math.max(by, 0)}::integer,
      ${new Date((slot + SLOTS) * slotMs)}::timestamptz
    where ${when}
    on conflict (key) do update set
      newest = greatest(c.newest, excluded.newest),
      expires_at = greatest(c.expires_at, excluded.expires_at),
      counts = array(
        select greatest(0,
          coalesce(c.counts[i + least(greatest(excluded.newest - c.newest, 0), ${sql.lit(SLOTS)})::integer], 0)
          + case when i = ${sql.lit(SLOTS)} - greatest(c.newest - excluded.newest, 0)
              then ${by}::integer else 0 end)
        from generate_series(1, ${sql.lit(SLOTS)}) as i
        order by i
      )
    returning (select sum(n) from unnest(c.counts) as n)::integer as total`;
}

/** One key may be counted over several windows. */
const rowKey = (key: string, windowMs: number): string => `${key}|${windowMs}`;
