import { type RawBuilder, sql } from 'kysely';
import { drawn, type Rider, type Slot, type Slots } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import { untilLifted } from './lock-store.ts';

/** The tries that one account, device or address has. A row of `factor_locks`. */
export interface Budget {
  /** What the refusal is called. */
  rule: string;
  subjectKey: string;
  factor: string;
  /** Tries before there is a wait. */
  free: number;
  firstWaitMs: number;
  longestWaitMs: number;
  /** One failure is forgiven for each such stretch without a try. */
  forgivenMs: number;
  /** So many in a row close it until somebody lifts that; null: never. */
  consecutive: number | null;
  /** The row is dropped after this long without a try. */
  keptMs: number;
}

interface Counted {
  rule: string;
  counted: boolean;
  until: Date | null;
}

const counting = drawn(
  (_db, slots: Slots<{ now: Date }>, budgets: Slots<Budget>[]) => sql<Counted>`
    with budgets (place, rule, subject_key, factor, free, first_ms, longest_ms, forgiven_ms, consecutive, kept_ms)
      as (values ${sql.join(budgets.map(row))}),
    closed as (
      select b.rule, l.locked_until from budgets b join factor_locks l using (subject_key, factor)
      where l.locked_until > ${slots.now}::timestamptz
    ),
    counted as (
      insert into factor_locks as l
        (subject_key, factor, failures, consecutive, level, locked_until, last_failed_at, expires_at)
      select subject_key, factor, 1, 1, 0,
        case when free <= 1 then ${inMs(slots.now, sql`first_ms`)} end,
        ${slots.now}::timestamptz, ${inMs(slots.now, sql`kept_ms`)}
      from budgets where not exists (select from closed) order by place
      on conflict (subject_key, factor) do update set (failures, consecutive, locked_until, last_failed_at, expires_at) = (
        select n.failures, l.consecutive + 1,
          case
            when l.consecutive + 1 >= b.consecutive then ${untilLifted}::timestamptz
            when n.failures >= b.free then ${inMs(
              slots.now,
              sql`least(b.longest_ms, b.first_ms * power(2, least(n.failures - b.free, 40)))`,
            )}
          end,
          ${slots.now}::timestamptz, ${inMs(slots.now, sql`b.kept_ms`)}
        from budgets b, lateral (
          select 1 + greatest(0, l.failures - floor(
            extract(epoch from ${slots.now}::timestamptz - l.last_failed_at) * 1000 / b.forgiven_ms))::integer as failures
        ) n
        where b.subject_key = l.subject_key and b.factor = l.factor
      )
      where l.locked_until is null or l.locked_until <= ${slots.now}::timestamptz
      returning subject_key, factor
    )
    select b.rule, c.factor is not null as counted, closed.locked_until as until
    from budgets b left join counted c using (subject_key, factor) left join closed using (rule)`,
);

/**
 * Counts a try against every budget, in one statement, unless one of them is closed: then nothing is counted and the
 * closed ones are answered. The rows are always taken in the order given, so that two logins never wait for each other.
 */
export async function countTry(
  db: Db,
  budgets: Budget[],
  now: Date,
): Promise<{ rule: string; until: Date }[]> {
  const rows = await counting.execute(db, { now }, budgets);
  if (rows.every(({ counted }) => counted)) return [];
  const closed = rows.flatMap(({ rule, until }) => (until ? [{ rule, until }] : []));
  // Closed by someone else's try within this very moment: what stands there now has been committed.
  return closed.length > 0 ? closed : closedNow(db, budgets, now);
}

const givingBack = drawn(
  (_db, slots: Slots<{ now: Date }>, budgets: Slots<Budget>[]) => sql`
    with budgets (place, subject_key, factor) as (values ${sql.join(
      budgets.map(
        ({ subjectKey, factor }, place) => sql`(${sql.lit(place)}, ${subjectKey}::text, ${factor}::text)`,
      ),
    )}),
    mine as (
      select l.subject_key, l.factor from factor_locks l join budgets b using (subject_key, factor)
      order by b.place for update of l
    )
    update factor_locks l set
      failures = greatest(l.failures - 1, 0),
      consecutive = 0,
      locked_until = null,
      expires_at = case when l.failures <= 1 then ${slots.now}::timestamptz + interval '1 day' else l.expires_at end
    from mine where l.subject_key = mine.subject_key and l.factor = mine.factor`,
);

/** Gives a try back to every budget and opens it again: the try was right. */
export const givingTryBack = (budgets: Budget[], now: Date): Rider => givingBack({ now }, budgets);

async function closedNow(db: Db, budgets: Budget[], now: Date): Promise<{ rule: string; until: Date }[]> {
  const rows = await db
    .selectFrom('factor_locks')
    .select(['subject_key', 'factor', 'locked_until'])
    .where((where) =>
      where.or(budgets.map(({ subjectKey, factor }) => where.and({ subject_key: subjectKey, factor }))),
    )
    .execute();
  return budgets.map((budget) => ({
    rule: budget.rule,
    until:
      rows.find((found) => found.subject_key === budget.subjectKey && found.factor === budget.factor)
        ?.locked_until ?? now,
  }));
}

const row = (budget: Slots<Budget>, place: number): RawBuilder<unknown> => sql`(
  ${sql.lit(place)}, ${budget.rule}::text, ${budget.subjectKey}::text, ${budget.factor}::text,
  ${budget.free}::integer, ${budget.firstWaitMs}::float8, ${budget.longestWaitMs}::float8,
  ${budget.forgivenMs}::float8, ${budget.consecutive}::integer, ${budget.keptMs}::float8)`;

const inMs = (now: Slot<Date>, ms: RawBuilder<unknown>) =>
  sql`${now}::timestamptz + ${ms} * interval '1 millisecond'`;
