import { sql } from 'kysely';
import type { Db, Tx } from '../../storage/types.ts';

/** A provider that has failed. There is no row for one that never did. */
interface ProviderBreakersTable {
  provider_id: string;
  /** Since when failures are counted. */
  window_start: Date;
  failures: number;
  /** Taken by the gateway, as far as the instances that saw a failure know. */
  accepted: number;
  /** How often it was opened since it was closed last. */
  openings: number;
  /** Null: closed. In the past: one message at a time may try. */
  open_until: Date | null;
  /** Until when the instance that tries has the right to it alone. */
  probe_until: Date | null;
  reason: string | null;
}

declare module '../../storage/types.ts' {
  interface Database {
    provider_breakers: ProviderBreakersTable;
  }
}

export interface OpenState {
  until: Date;
  reason: string;
}

/** Those that are not closed. */
export async function listOpen(db: Db): Promise<Map<string, OpenState>> {
  const rows = await db
    .selectFrom('provider_breakers')
    .select(['provider_id', 'open_until', 'reason'])
    .where('open_until', 'is not', null)
    .execute();
  return new Map(
    rows.flatMap(({ provider_id, open_until, reason }) =>
      open_until === null ? [] : [[provider_id, { until: open_until, reason: reason ?? '' }]],
    ),
  );
}

/** Counts a failure, with what the same instance saw accepted meanwhile. Answers the window as it is then. */
export async function countFailure(
  db: Db,
  failed: { providerId: string; accepted: number; windowStart: Date },
  now: Date,
): Promise<{ failures: number; accepted: number; openings: number; openUntil: Date | null }> {
  const { providerId, accepted, windowStart } = failed;
  const { rows } = await sql<{
    failures: number;
    accepted: number;
    openings: number;
    openUntil: Date | null;
  }>`
    insert into provider_breakers as b (provider_id, window_start, failures, accepted)
    values (${providerId}, ${now}::timestamptz, 1, ${accepted}::integer)
    on conflict (provider_id) do update set
      window_start = case when b.window_start > ${windowStart}::timestamptz then b.window_start else excluded.window_start end,
      failures = 1 + case when b.window_start > ${windowStart}::timestamptz then b.failures else 0 end,
      accepted = excluded.accepted + case when b.window_start > ${windowStart}::timestamptz then b.accepted else 0 end
    returning failures, accepted, openings, open_until as "openUntil"`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('an upsert answers its row');
  return row;
}

/** Opens one that is not open at this moment: of many at once one finds it so. */
export async function open(
  tx: Tx,
  opening: { providerId: string; until: Date; reason: string },
  now: Date,
): Promise<boolean> {
  const { providerId, reason, until } = opening;
  const counted = { window_start: now, failures: 0, accepted: 0 };
  const row = await tx
    .insertInto('provider_breakers')
    .values({ provider_id: providerId, ...counted, openings: 1, open_until: until, reason })
    .onConflict((conflict) =>
      conflict
        .column('provider_id')
        .doUpdateSet({
          ...counted,
          openings: sql`provider_breakers.openings + 1`,
          open_until: until,
          probe_until: null,
          reason,
        })
        .where((where) =>
          where.or([
            where('provider_breakers.open_until', 'is', null),
            where('provider_breakers.open_until', '<=', now),
          ]),
        ),
    )
    .returning('provider_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** The right to try one whose time is over. Of all instances one has it, until `until`. */
export async function claimProbe(db: Db, providerId: string, now: Date, until: Date): Promise<boolean> {
  const row = await db
    .updateTable('provider_breakers')
    .set({ probe_until: until })
    .where('provider_id', '=', providerId)
    .where('open_until', '<=', now)
    .where((where) => where.or([where('probe_until', 'is', null), where('probe_until', '<=', now)]))
    .returning('provider_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Null when it is closed. */
export async function findOpen(db: Db, providerId: string): Promise<OpenState | null> {
  const row = await db
    .selectFrom('provider_breakers')
    .select(['open_until', 'reason'])
    .where('provider_id', '=', providerId)
    .executeTakeFirst();
  return row?.open_until ? { until: row.open_until, reason: row.reason ?? '' } : null;
}

export async function close(tx: Tx, providerId: string, now: Date): Promise<boolean> {
  const row = await tx
    .updateTable('provider_breakers')
    .set({ open_until: null, probe_until: null, openings: 0, failures: 0, accepted: 0, window_start: now })
    .where('provider_id', '=', providerId)
    .where('open_until', '<=', now)
    .returning('provider_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Whoever has mended a provider wants it to be asked at once. */
export async function forget(tx: Tx, providerId: string): Promise<void> {
  await tx.deleteFrom('provider_breakers').where('provider_id', '=', providerId).execute();
}
