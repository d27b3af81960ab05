import { type Selectable, sql } from 'kysely';
import type { Db } from '../../storage/types.ts';
import type { MessageRow } from '../store.ts';

export type Use = Pick<
  Selectable<MessageRow>,
  'id' | 'provider_id' | 'gateway_id' | 'status' | 'receipt' | 'verified_at' | 'use_tries'
> & {
  /** Another message went out with the same code after it, and may be the one that was read. */
  followed: boolean;
};

/** Takes uses that are due, for whoever calls: nobody else gets them before `until`, when they are due again. */
export const claimUses = (db: Db, limit: number, now: Date, until: Date): Promise<Use[]> =>
  db
    .updateTable('messages')
    .set({ use_due_at: until, use_tries: sql`use_tries + 1` })
    .where('id', 'in', (due) =>
      due
        .selectFrom('messages')
        .select('id')
        .where('use_due_at', '<=', now)
        .orderBy('use_due_at')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning([
      ...(['id', 'provider_id', 'gateway_id', 'status', 'receipt', 'verified_at', 'use_tries'] as const),
      sql<boolean>`exists (
        select from messages later
        where later.reference = messages.reference and later.created_at > messages.created_at
          and later.status in ('sending', 'accepted', 'unknown')
      )`.as('followed'),
    ])
    .execute();

/** Null: it is not told of it any more. */
export async function dueAgain(db: Db, id: string, at: Date | null): Promise<void> {
  await db.updateTable('messages').set({ use_due_at: at }).where('id', '=', id).execute();
}
