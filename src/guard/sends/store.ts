import { type RawBuilder, sql } from 'kysely';
import { drawn, json, type Rider, type Slot, type Slots } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import type { Limit, RuleName } from './settings.ts';

/** What is counted under one key: messages to a number, of a user, from an address, to a country in a day, money. */
interface SendHistoriesTable {
  key: string;
  /** Milliseconds since the epoch, oldest first; none older than the longest limit reaches. */
  times: number[];
  /** What has no limit in time: moments by country, counts by hour, an amount. */
  marks: Record<string, number>;
  blocked_until: Date | null;
  /** How often it was blocked while it was remembered. */
  blocks: number;
  expires_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    send_histories: SendHistoriesTable;
  }
}

interface CommonEntry {
  /** Null: counted for a rule that looks at it by itself. */
  rule: RuleName | null;
  key: string;
  /** False: counted beyond the limit, too. */
  enforced: boolean;
}

/** One row to count in. */
export type Entry = CommonEntry &
  (
    | { kind: 'times'; limits: Limit[] }
    /** At most so many different marks within the time. */
    | { kind: 'tags'; mark: string; limits: [Limit] }
    /** Adds to a mark; at or above `most` it is full. */
    | { kind: 'sum'; mark: string; amount: number; most: number | null; keptMs: number }
  );

/** A factor whose messages are not sent while it is locked. */
export interface Lock {
  subjectKey: string;
  factor: string;
}

/** An entry as it was before the statement. */
export interface Counted {
  key: string;
  counted: boolean;
  times: number[];
  marks: Record<string, number>;
  blockedUntil: Date | null;
  /** The marks after it, where it was counted. */
  after: Record<string, number> | null;
}

const longest = (entry: Entry): number =>
  entry.kind === 'sum' ? entry.keptMs : Math.max(...entry.limits.map(({ withinMs }) => withinMs));

/** An entry as it stands in the statement. */
interface EntryRow {
  key: string;
  kind: Entry['kind'];
  limits: Limit[];
  mark: string;
  amount: number;
  most: number | null;
  keptMs: number;
  enforced: boolean;
}

const rowOf = (entry: Entry): EntryRow => ({
  ...{ key: entry.key, kind: entry.kind, enforced: entry.enforced, keptMs: longest(entry) },
  limits: entry.kind === 'sum' ? [] : entry.limits,
  mark: entry.kind === 'times' ? '' : entry.mark,
  ...(entry.kind === 'sum' ? { amount: entry.amount, most: entry.most } : { amount: 0, most: null }),
});

const listed = (entry: Slots<EntryRow>, place: number): RawBuilder<unknown> => sql`(
    ${sql.lit(place)}, ${entry.key}::text, ${entry.kind}::text, ${json(entry.limits)}, ${entry.mark}::text,
    ${entry.amount}::float8, ${entry.most}::float8, ${entry.keptMs}::float8, ${entry.enforced}::boolean)`;

/** Whether the row has no room for the entry. */
const full = (at: Slot<number>) => sql`(
  coalesce(h.blocked_until > to_timestamp(${at}::float8 / 1000), false)
  or case e.kind
    when 'times' then exists (
      select from jsonb_to_recordset(e.limits) as at_most("count" integer, "withinMs" float8)
      where at_most."count" <= (
        select count(*) from jsonb_array_elements(h.times) t where t::float8 > ${at}::float8 - at_most."withinMs"))
    when 'tags' then coalesce((h.marks ->> e.mark)::float8, 0) <= ${at}::float8 - e.kept_ms
      and (e.limits -> 0 ->> 'count')::integer <= (
        select count(*) from jsonb_each_text(h.marks) m where m.value::float8 > ${at}::float8 - e.kept_ms)
    else coalesce((h.marks ->> e.mark)::float8 >= e.most, false)
  end)`;

/** What the row has after the entry was counted. */
const added = (at: Slot<number>) => sql`
  case e.kind when 'times' then (
    select coalesce(jsonb_agg(t order by t::float8), '[]') || to_jsonb(${at}::float8)
    from jsonb_array_elements(h.times) t where t::float8 > ${at}::float8 - e.kept_ms
  ) else h.times end,
  case e.kind
    when 'times' then h.marks
    when 'tags' then (
      select coalesce(jsonb_object_agg(m.key, m.value), '{}') || jsonb_build_object(e.mark, ${at}::float8)
      from jsonb_each(h.marks) m where m.value::float8 > ${at}::float8 - e.kept_ms)
    else h.marks || jsonb_build_object(e.mark, coalesce((h.marks ->> e.mark)::float8, 0) + e.amount)
  end`;

interface Counting {
  subjectKey: string;
  factor: string;
  hold: boolean;
  read: string[];
  now: Date;
  /** The same in milliseconds. */
  at: number;
}

const counting = drawn(
  (_db, slots: Slots<Counting>, entries: Slots<EntryRow>[]) => sql<Counted & { lockedUntil: Date | null }>`
    with locked as (
      select locked_until from factor_locks
      where subject_key = ${slots.subjectKey} and factor = ${slots.factor}
        and locked_until > ${slots.now}::timestamptz
    ),
    entries (place, key, kind, limits, mark, amount, most, kept_ms, enforced)
      as (values ${sql.join(entries.map(listed))}),
    known as (
      select e.key, h.times, h.marks, h.blocked_until, e.enforced and ${full(slots.at)} as "full"
      from entries e join send_histories h using (key)
    ),
    counted as (
      insert into send_histories as h (key, times, marks, expires_at)
      select e.key, case e.kind when 'times' then jsonb_build_array(${slots.at}::float8) else '[]'::jsonb end,
        case e.kind when 'times' then '{}'::jsonb
          else jsonb_build_object(e.mark, case e.kind when 'tags' then ${slots.at}::float8 else e.amount end) end,
        ${slots.now}::timestamptz + e.kept_ms * interval '1 millisecond'
      from entries e
      where not ${slots.hold}::boolean and not exists (select from known where known."full")
        and not exists (select from locked) order by e.place
      on conflict (key) do update set
        (times, marks) = (select ${added(slots.at)} from entries e where e.key = h.key),
        expires_at = greatest(h.expires_at, excluded.expires_at)
      where not (select e.enforced and ${full(slots.at)} from entries e where e.key = h.key)
      returning h.key, h.marks
    )
    select e.place, e.key, c.key is not null as counted, coalesce(k.times, '[]') as times,
      coalesce(k.marks, '{}') as marks, k.blocked_until as "blockedUntil", c.marks as after,
      (select locked_until from locked) as "lockedUntil"
    from entries e left join counted c using (key) left join known k using (key)
    union all
    select ${sql.lit(entries.length)}::integer, h.key, false, '[]', h.marks, null, null, null
    from send_histories h where h.key = any(${slots.read}::text[])
    order by place`,
);

/**
 * Counts this moment in every row, in one statement, unless an enforced one of them is full: then in none. Under
 * concurrency some may be counted and another not; the caller gives those back. The rows are always taken in the order
 * given, so that two senders never wait for each other. Of a factor that is locked nothing is counted at all, nor with
 * `hold`. `read`: keys whose marks are answered besides.
 */
export async function countSends(
  db: Db,
  entries: Entry[],
  { lock, read, hold }: { lock: Lock | null; read: string[]; hold: boolean },
  now: Date,
): Promise<{ lockedUntil: Date | null; counted: Counted[]; marks: Map<string, Record<string, number>> }> {
  const { factor, subjectKey } = lock ?? { subjectKey: '', factor: '' };
  const rows = await counting.execute(
    db,
    { subjectKey, factor, hold, read, now, at: now.getTime() },
    entries.map(rowOf),
  );
  const counted = rows.slice(0, entries.length);
  return {
    lockedUntil: counted[0]?.lockedUntil ?? null,
    counted,
    marks: new Map(rows.slice(entries.length).map(({ key, marks }) => [key, marks])),
  };
}

/** What {@link settling} changes in one row. */
export type Settlement =
  /** Takes the newest moments out. */
  { key: string; times: number } | { key: string; drop: string } | { key: string; mark: string; add: number };

interface SettlementRow {
  key: string;
  times: number;
  gone: string;
  mark: string | null;
  amount: number;
}

const settlementRow = (settlement: Settlement): SettlementRow => ({
  ...{ key: settlement.key, times: 0, gone: '', mark: null, amount: 0 },
  ...('times' in settlement && { times: settlement.times }),
  ...('drop' in settlement && { gone: settlement.drop }),
  ...('mark' in settlement && { mark: settlement.mark, amount: settlement.add }),
});

const settlingRows = drawn(
  (_db, _slots: Slots<object>, settlements: Slots<SettlementRow>[]) => sql`
  with given (place, key, n, gone, mark, amount) as (values ${sql.join(
    settlements.map(
      ({ key, times, gone, mark, amount }, place) => sql`(
        ${sql.lit(place)}, ${key}::text, ${times}::integer, ${gone}::text, ${mark}::text, ${amount}::float8)`,
    ),
  )}),
  mine as (
    select g.* from given g join send_histories h using (key) order by g.place for update of h
  )
  update send_histories h set
    times = (
      select coalesce(jsonb_agg(t.value order by t.place), '[]')
      from jsonb_array_elements(h.times) with ordinality as t (value, place)
      where t.place <= jsonb_array_length(h.times) - mine.n),
    marks = case
      when mine.mark is null then h.marks - mine.gone
      else (h.marks - mine.gone)
        || jsonb_build_object(mine.mark, greatest(0, coalesce((h.marks ->> mine.mark)::float8, 0) + mine.amount)) end
  from mine where h.key = mine.key`,
);

/**
 * Takes back, or sets against, what was counted; rows that are gone stay so. The rows are taken in the order given,
 * which is that of {@link countSends}.
 */
export const settling = (settlements: Settlement[]): Rider =>
  settlingRows({}, settlements.map(settlementRow));

/** How long it is remembered that a prefix was blocked. */
const BLOCKS_REMEMBERED_MS = 7 * 86_400_000;

/** Closes a key that has met its limit, unless that has just been done. Each time for twice as long. */
export async function block(
  db: Db,
  key: string,
  { firstMs, longestMs }: { firstMs: number; longestMs: number },
  now: Date,
): Promise<{ until: Date; begun: boolean }> {
  const until = sql<Date>`${now}::timestamptz
    + least(${longestMs}::float8, ${firstMs}::float8 * power(2, least(blocks, 30))) * interval '1 millisecond'`;
  const begun = await db
    .updateTable('send_histories')
    .set({
      blocks: sql<number>`blocks + 1`,
      blocked_until: until,
      expires_at: sql<Date>`${until} + ${BLOCKS_REMEMBERED_MS}::float8 * interval '1 millisecond'`,
    })
    .where('key', '=', key)
    .where((where) => where.or([where('blocked_until', 'is', null), where('blocked_until', '<=', now)]))
    .returning('blocked_until')
    .executeTakeFirst();
  if (begun?.blocked_until) return { until: begun.blocked_until, begun: true };
  const row = await db
    .selectFrom('send_histories')
    .select('blocked_until')
    .where('key', '=', key)
    .executeTakeFirst();
  return { until: row?.blocked_until ?? now, begun: false };
}
