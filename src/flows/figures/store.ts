import { sql } from 'kysely';
import type { Db } from '../../storage/types.ts';

/** Which logins are looked at: those of a flow, or of one version of it, that began in a span of time. */
export interface Window {
  flow: string;
  /** Null: all. */
  version: number | null;
  from: Date;
  to: Date;
}

export interface Totals {
  started: number;
  /** Somebody was signed in. */
  finished: number;
  /** Ended by the gateway: the account is switched off, for instance. */
  failed: number;
  /** Cancelled, or left until the time was over. */
  abandoned: number;
}

/** What one page of a flow costs people. */
export interface PageFigures {
  step: string;
  /** Null: the choice between several, or the page that says that nothing is open. */
  method: string | null;
  /** Logins in which it was shown. */
  shown: number;
  /** Logins in which it was passed. */
  passed: number;
  /** Tries that were wrong. */
  failed: number;
  /** Logins that were abandoned, and this was their last page. */
  abandoned: number;
  /** From the first time that it was shown to the pass; null: nobody has passed. */
  p50Ms: number | null;
  p95Ms: number | null;
}

export interface SkipFigures {
  step: string;
  reason: string;
  /** Logins in which it was skipped for that reason. */
  logins: number;
}

export interface Counted {
  totals: Totals;
  pages: PageFigures[];
  skips: SkipFigures[];
}

/**
 * Counts from the record of events. A login that began before `over` and has no end on record was abandoned. Reads what
 * the index on the time finds; no login waits for it.
 */
export async function countFigures(
  db: Db,
  { flow, version, from, to }: Window,
  over: Date,
): Promise<Counted> {
  const { rows } = await sql<Counted>`
    with began as materialized (
      select login_id, at from audit_events
      where at >= ${from} and at < ${to} and name = 'login.started' and data ->> 'flow' = ${flow}
        and (${version}::integer is null or (data ->> 'version')::integer = ${version}::integer)
    ), told as materialized (
      select e.login_id, e.name, e.at, e.result, e.reason, e.data ->> 'step' as step, e.data ->> 'method' as method
      from audit_events e join began b on b.login_id = e.login_id
      where e.at >= ${from} and e.name in ('login.step.shown', 'login.step.passed', 'login.step.failed',
        'login.step.skipped', 'login.finished', 'login.abandoned')
    ), ends as (
      select b.login_id, coalesce(max(case
          when t.name = 'login.abandoned' then 'abandoned'
          when t.result = 'ok' then 'finished'
          when t.name = 'login.finished' then 'failed'
        end), case when b.at < ${over} then 'abandoned' else 'running' end) as way
      from began b left join told t on t.login_id = b.login_id and t.name in ('login.finished', 'login.abandoned')
      group by b.login_id, b.at
    ), visits as (
      select login_id, step, method,
        min(at) filter (where name = 'login.step.shown') as shown_at,
        min(at) filter (where name = 'login.step.passed') as passed_at,
        count(*) filter (where name = 'login.step.failed') as failures
      from told where name in ('login.step.shown', 'login.step.passed', 'login.step.failed')
      group by login_id, step, method
    ), last_pages as (
      select distinct on (login_id) login_id, step, method
      from told where name = 'login.step.shown' order by login_id, at desc
    ), timed as (
      select v.*, extract(epoch from v.passed_at - v.shown_at) * 1000 as took, l.login_id is not null as left_here
      from visits v
      left join ends e on e.login_id = v.login_id and e.way = 'abandoned'
      left join last_pages l on l.login_id = e.login_id and l.step = v.step and l.method is not distinct from v.method
    )
    select
      (select jsonb_build_object(
        'started', count(*),
        'finished', count(*) filter (where way = 'finished'),
        'failed', count(*) filter (where way = 'failed'),
        'abandoned', count(*) filter (where way = 'abandoned')) from ends) as totals,
      (select coalesce(jsonb_agg(p), '[]') from (
        select step, method, count(shown_at) as shown, count(passed_at) as passed, sum(failures)::integer as failed,
          count(*) filter (where left_here) as abandoned,
          round((percentile_cont(0.5) within group (order by took))::numeric) as "p50Ms",
          round((percentile_cont(0.95) within group (order by took))::numeric) as "p95Ms"
        from timed group by step, method) p) as pages,
      (select coalesce(jsonb_agg(s), '[]') from (
        select step, coalesce(reason, '') as reason, count(distinct login_id) as logins
        from told where name = 'login.step.skipped' group by 1, 2) s) as skips`.execute(db);
  const [counted] = rows;
  if (!counted) throw new Error('an aggregate without a row');
  return counted;
}
