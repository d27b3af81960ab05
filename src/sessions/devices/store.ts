import { type Generated, type RawBuilder, sql } from 'kysely';
import { drawn, type Guard, json, type Rider, type Slot, type Slots } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import type { NamedDevice, StepPass } from '../types.ts';

declare module '../../storage/types.ts' {
  interface Database {
    remembered_devices: RememberedDevicesTable;
  }
}

interface RememberedDevicesTable {
  id: string;
  user_id: string;
  /** Which of the cookie's values, counted from 1, is the present one. */
  generation: Generated<number>;
  /** Since when it is. */
  rotated_at: Date;
  /** By `<app>/<flow>/<step>`. */
  passes: Record<string, StepPass>;
  ip: string | null;
  user_agent: string | null;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  revoked_reason: string | null;
}

const columns = [
  'id',
  'passes',
  'ip',
  'user_agent as userAgent',
  'created_at as createdAt',
  'last_used_at as lastUsedAt',
  'expires_at as expiresAt',
] as const;

const live = (db: Db, userId: string, now: Date) =>
  db
    .selectFrom('remembered_devices')
    .select(columns)
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now);

/** The live devices of these ids, whosever they are, as a value of a select; null: there is none. */
export const joinedDevices = (ids: Slot<string[]>, now: Slot<Date>): RawBuilder<NamedDevice[] | null> => sql`(
  select jsonb_agg(found) from (
    select id, user_id as "userId", generation, rotated_at as "rotatedAt", passes
    from remembered_devices where id = any(${ids}::text[]) and revoked_at is null
      and expires_at > ${now}::timestamptz) found)`;

const finding = drawn((db, slots: Slots<{ ids: string[]; now: Date }>) =>
  db.selectNoFrom(joinedDevices(slots.ids, slots.now).as('found')),
);

export const findLive = async (db: Db, ids: string[], now: Date): Promise<NamedDevice[]> =>
  (await finding.first(db, { ids, now }))?.found ?? [];

export const listLive = (db: Db, userId: string, now: Date) =>
  live(db, userId, now).orderBy('last_used_at', 'desc').orderBy('id').execute();

export interface DeviceUse {
  id: string;
  passes: Record<string, StepPass>;
  ip: string | null;
  userAgent: string | null;
  expiresAt: Date;
}

type Using = DeviceUse & { userId: string; now: Date };

const noting = drawn((db, slots: Slots<Using>) =>
  db.insertInto('remembered_devices').values({
    id: slots.id,
    user_id: slots.userId,
    rotated_at: slots.now,
    passes: json(slots.passes),
    ip: slots.ip,
    user_agent: slots.userAgent,
    created_at: slots.now,
    last_used_at: slots.now,
    expires_at: slots.expiresAt,
    revoked_at: null,
    revoked_reason: null,
  }),
);

export const inserting = (userId: string, use: DeviceUse, now: Date): Rider =>
  noting({ ...use, userId, now });

const turning = drawn((db, slots: Slots<Using & { generation: number }>) =>
  db
    .updateTable('remembered_devices')
    .set({
      generation: sql<number>`greatest(generation, ${slots.generation}::integer)`,
      rotated_at: sql<Date>`case when generation < ${slots.generation}::integer then ${slots.now}::timestamptz else rotated_at end`,
      passes: sql<Record<string, StepPass>>`passes || ${json(slots.passes)}`,
      ip: slots.ip,
      user_agent: slots.userAgent,
      last_used_at: slots.now,
      expires_at: slots.expiresAt,
    })
    .where('id', '=', slots.id)
    .where('user_id', '=', slots.userId)
    .where('revoked_at', 'is', null)
    .returning('id'),
);

/**
 * The next value of the cookie, and what was passed now. Two tabs that bring the same value come to the same next one.
 * Finds no row when the device has been revoked meanwhile.
 */
export const rotating = (userId: string, generation: number, use: DeviceUse, now: Date): Guard =>
  turning({ ...use, userId, generation, now });

/** Ends one device of a user, or all of them but one. Answers the ids of those that were live until now. */
export async function endDevices(
  db: Db,
  userId: string,
  which: { id: string } | { exceptId: string | undefined },
  reason: string,
  now: Date,
): Promise<string[]> {
  let ending = db
    .updateTable('remembered_devices')
    .set({ revoked_at: now, revoked_reason: reason })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now);
  if ('id' in which) ending = ending.where('id', '=', which.id);
  else if (which.exceptId !== undefined) ending = ending.where('id', '<>', which.exceptId);
  const ended = await ending.returning('id').execute();
  return ended.map(({ id }) => id);
}
