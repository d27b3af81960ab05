import { sql } from 'kysely';
import { json } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { Limit } from './settings.ts';

/** The moments of the latest messages of one number, user or address. */
interface SendHistoriesTable {
  key: string;
  /** Milliseconds since the epoch, oldest first; none older than the longest limit reaches. */
  times: number[];
  expires_at: Date;
}

declare module '../storage/types.ts' {
  interface Database {
    send_histories: SendHistoriesTable;
  }
}

export interface History {
  /** What the refusal is called. */
  rule: string;
  key: string;
  limits: Limit[];
}

/** A factor whose messages are not sent while it is locked. */
export interface Lock {
  subjectKey: string;
  factor: string;
}

export interface Counted {
  key: string;
  counted: boolean;
  /** As it was before this statement. */
  times: number[];
}

/**
 * Adds this moment to every history, in one statement, unless one of them is at a limit: then to none. Under
 * concurrency some may be counted and another not; the caller gives those back. The rows are always taken in the order
 * given, so that two senders never wait for each other. Of a factor that is locked nothing is counted at all.
 */
export async function countSends(
  db: Db,
  histories: History[],
  lock: Lock | null,
  now: Date,
): Promise<{ lockedUntil: Date | null; counted: Counted[] }> {
  const at = now.getTime();
  const rows = histories.map(
    ({ key, limits }, place) => sql`(
      ${sql.lit(place)}, ${key}::text, ${json(limits)}, ${Math.max(...limits.map(({ withinMs }) => withinMs))}::float8)`,
  );
  const full = (times: string, limits: string) => sql`exists (
    select from jsonb_to_recordset(${sql.ref(limits)}) as at_most("count" integer, "withinMs" float8)
    where at_most."count" <= (
      select count(*) from jsonb_array_elements(${sql.ref(times)}) t where t::float8 > ${at}::float8 - at_most."withinMs"
    ))`;
  const { rows: counted } = await sql<Counted & { lockedUntil: Date | null }>`
    with locked as (
      select locked_until from factor_locks
      where subject_key = ${lock?.subjectKey ?? ''} and factor = ${lock?.factor ?? ''}
        and locked_until > ${now}::timestamptz
    ),
    histories (place, key, limits, kept_ms) as (values ${sql.join(rows)}),
    known as (
      select w.key, h.times, ${full('h.times', 'w.limits')} as "full" from histories w join send_histories h using (key)
    ),
    counted as (
      insert into send_histories as h (key, times, expires_at)
      select key, jsonb_build_array(${at}::float8), ${now}::timestamptz + kept_ms * interval '1 millisecond'
      from histories
      where not exists (select from known where known."full") and not exists (select from locked) order by place
      on conflict (key) do update set
        times = (
          select coalesce(jsonb_agg(t order by t::float8), '[]') || excluded.times
          from jsonb_array_elements(h.times) t, histories w where w.key = h.key and t::float8 > ${at}::float8 - w.kept_ms
        ),
        expires_at = excluded.expires_at
      where not (select ${full('h.times', 'w.limits')} from histories w where w.key = h.key)
      returning h.key
    )
    select w.key, c.key is not null as counted, coalesce(k.times, '[]') as times,
      (select locked_until from locked) as "lockedUntil"
    from histories w left join counted c using (key) left join known k using (key)
    order by w.place`.execute(db);
  return { lockedUntil: counted[0]?.lockedUntil ?? null, counted };
}

/** Takes the newest moment out of each history. */
export async function removeNewest(db: Db, keys: string[]): Promise<void> {
  for (const key of keys) await withoutNewest(db, key).execute();
}

/** The statement that takes it out of one; not executed here. */
export const withoutNewest = (db: Db, key: string) =>
  db
    .updateTable('send_histories')
    .set({ times: sql`times - (-1)` })
    .where('key', '=', key)
    .where(sql`jsonb_array_length(times)`, '>', 0);
