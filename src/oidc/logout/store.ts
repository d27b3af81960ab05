import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../../storage/types.ts';

/** One app that is to be told of the end of one session. Gone when it has been told, or when it cannot be. */
interface LogoutNoticesTable {
  id: string;
  app_id: string;
  user_id: string;
  /** The name of the session that the app knows. */
  sid: string;
  /** How often somebody began to tell it. */
  tries: number;
  /** Nobody tells it before. */
  next_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    logout_notices: LogoutNoticesTable;
  }
}

export type Notice = Selectable<LogoutNoticesTable>;

export async function insertNotices(tx: Tx, notices: Notice[]): Promise<void> {
  if (notices.length > 0) await tx.insertInto('logout_notices').values(notices).execute();
}

/**
 * Takes notices that are due, for whoever calls: nobody else gets them before `until`. When the caller dies meanwhile
 * they are due again by then.
 */
export async function claimNotices(db: Db, limit: number, now: Date, until: Date): Promise<Notice[]> {
  return db
    .updateTable('logout_notices')
    .set({ next_at: until, tries: sql`tries + 1` })
    .where('id', 'in', (due) =>
      due
        .selectFrom('logout_notices')
        .select('id')
        .where('next_at', '<=', now)
        .orderBy('next_at')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute();
}

export async function postponeNotice(db: Db, id: string, nextAt: Date): Promise<void> {
  await db.updateTable('logout_notices').set({ next_at: nextAt }).where('id', '=', id).execute();
}

export async function deleteNotice(db: Db, id: string): Promise<void> {
  await db.deleteFrom('logout_notices').where('id', '=', id).execute();
}
