import { sql } from 'kysely';
import { after } from '../lib/clock.ts';
import { drawn, type Rider, type Slots } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';

const HOUR_MS = 3_600_000;

/** Failures of this long still count towards the next lock, whatever succeeded in between. */
const REMEMBERED_MS = 24 * HOUR_MS;

/** A run of consecutive failures is kept this long after its last one. */
const RUN_KEPT_MS = 400 * 24 * HOUR_MS;

/** Stands for “until somebody lifts it”. */
export const untilLifted = new Date('9999-12-31T00:00:00Z');

/** One row per subject and factor; the waits after wrong passwords are rows too (throttle-store.ts). */
interface FactorLocksTable {
  subject_key: string;
  factor: string;
  failures: number;
  /** Since the last success. */
  consecutive: number;
  /** How often it has locked, less the successes since: the next lock is the first one doubled so many times. */
  level: number;
  locked_until: Date | null;
  last_failed_at: Date;
  expires_at: Date;
}

declare module '../storage/types.ts' {
  interface Database {
    factor_locks: FactorLocksTable;
  }
}

export interface LockRules {
  /** Failures per lock. */
  after: number;
  firstMs: number;
  longestMs: number;
  consecutive: number;
}

export async function readLock(db: Db, subjectKey: string, factor: string, now: Date): Promise<Date | null> {
  const row = await db
    .selectFrom('factor_locks')
    .select('locked_until')
    .where('subject_key', '=', subjectKey)
    .where('factor', '=', factor)
    .where('locked_until', '>', now)
    .executeTakeFirst();
  return row?.locked_until ?? null;
}

/** The same as a value of another statement. */
export const lockedUntil = (subjectKey: string, factor: string, now: Date) =>
  sql<Date | null>`(select locked_until from factor_locks
    where subject_key = ${subjectKey} and factor = ${factor} and locked_until > ${now}::timestamptz)`;

/**
 * Counts a failure, and locks when it is one too many. Failures that come in while locked (they were under way) count
 * but do not lengthen the lock. Answers until when it is locked now.
 */
export async function countFailure(
  db: Db,
  subjectKey: string,
  factor: string,
  rules: LockRules,
  now: Date,
): Promise<Date | null> {
  const forgotten = sql`factor_locks.last_failed_at < ${after(now, -REMEMBERED_MS)}::timestamptz`;
  const failures = sql<number>`case when ${forgotten} then 1 else factor_locks.failures + 1 end`;
  const level = sql<number>`case when ${forgotten} then 0 else factor_locks.level end`;
  const open = sql`(factor_locks.locked_until is null or factor_locks.locked_until <= ${now}::timestamptz)`;
  const locks = sql`(${open} and (${failures}) % ${rules.after}::integer = 0)`;
  const wait = sql`least(${rules.longestMs}::float8, ${rules.firstMs}::float8 * power(2, least(${level}, 40)))`;
  const row = await db
    .insertInto('factor_locks')
    .values({
      subject_key: subjectKey,
      factor,
      failures: 1,
      consecutive: 1,
      level: 0,
      locked_until: null,
      last_failed_at: now,
      expires_at: after(now, RUN_KEPT_MS),
    })
    .onConflict((conflict) =>
      conflict.columns(['subject_key', 'factor']).doUpdateSet({
        failures,
        consecutive: sql`factor_locks.consecutive + 1`,
        level: sql<number>`(${level}) + case when ${locks} then 1 else 0 end`,
        locked_until: sql<Date | null>`case
          when factor_locks.consecutive + 1 >= ${rules.consecutive}::integer then ${untilLifted}::timestamptz
          when ${locks} then ${now}::timestamptz + ${wait} * interval '1 millisecond'
          else factor_locks.locked_until end`,
        last_failed_at: now,
        expires_at: after(now, RUN_KEPT_MS),
      }),
    )
    .returning('locked_until')
    .executeTakeFirstOrThrow();
  return row.locked_until !== null && row.locked_until > now ? row.locked_until : null;
}

const relieving = drawn((db, slots: Slots<{ subjectKey: string; factor: string }>) =>
  db
    .updateTable('factor_locks')
    .set({ consecutive: 0, level: sql`greatest(level - 1, 0)` })
    .where('subject_key', '=', slots.subjectKey)
    .where('factor', '=', slots.factor)
    .where((where) => where.or([where('consecutive', '>', 0), where('level', '>', 0)])),
);

/** Ends the run of failures and lowers the level by one. A lock that others' failures have just caused stays. */
export const countSuccess = (_db: Db, subjectKey: string, factor: string): Rider =>
  relieving({ subjectKey, factor });

/** Forgets everything about the factor, the waits of all devices included. */
export async function removeLock(db: Db, subjectKey: string, factor: string): Promise<void> {
  await db
    .deleteFrom('factor_locks')
    .where('subject_key', '=', subjectKey)
    .where((where) =>
      where.or([where('factor', '=', factor), where(sql`starts_with(factor, ${`${factor}:`})`, '=', true)]),
    )
    .execute();
}

/** Forgets everything about the subject. */
export async function removeLocks(db: Db, subjectKey: string): Promise<void> {
  await db.deleteFrom('factor_locks').where('subject_key', '=', subjectKey).execute();
}
