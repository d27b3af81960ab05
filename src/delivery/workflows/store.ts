import type { Crypto } from '../../crypto/types.ts';
import { after } from '../../lib/clock.ts';
import type { Rider } from '../../storage/index.ts';
import type { Db, Tx } from '../../storage/types.ts';
import type { Outcome, OutgoingMessage } from '../types.ts';

/** A message that is followed by another one at a certain moment, unless it has arrived by then. */
interface MessageTimersTable {
  message_id: string;
  /** The {@link OutgoingMessage}, bound to its id. */
  sealed: string;
  next_at: Date;
  /** When what it carries is of no more use. */
  expires_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    message_timers: MessageTimersTable;
  }
}

export interface Timer {
  message_id: string;
  sealed: string;
}

/**
 * The timer that an outcome starts; written with it. A message that was surely not taken is followed at once. One that
 * may have been sent, or that can never go, by none.
 */
export function startingTimer(
  { db, crypto }: { db: Db; crypto: Crypto },
  message: OutgoingMessage,
  { status }: Outcome,
  freshUntil: Date,
  now: Date,
): Rider | null {
  const [next] = message.chain?.next ?? [];
  if (next === undefined || (status !== 'accepted' && status !== 'unavailable')) return null;
  return db.insertInto('message_timers').values({
    message_id: message.id,
    sealed: crypto.seal('message', JSON.stringify(message), message.id),
    next_at: status === 'accepted' ? after(now, next.afterMs) : now,
    expires_at: freshUntil,
  });
}

/**
 * The right to one timer that is due: until `until` nobody else looks at it. Whoever has it ends it by
 * {@link removeTimer}; when that never happens it is due again then.
 */
export const claimDue = (db: Db, now: Date, until: Date): Promise<Timer | undefined> =>
  db
    .updateTable('message_timers')
    .set({ next_at: until })
    .where('message_id', '=', (due) =>
      due
        .selectFrom('message_timers')
        .select('message_id')
        .where('next_at', '<=', now)
        .orderBy('next_at')
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .returning(['message_id', 'sealed'])
    .executeTakeFirst();

/** Of several that come to its end one gets true. */
export async function removeTimer(db: Db, messageId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('message_timers')
    .where('message_id', '=', messageId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The gateway has reported that the message failed: what follows is due. */
export async function hasten(tx: Tx, messageId: string, now: Date): Promise<void> {
  await tx
    .updateTable('message_timers')
    .set({ next_at: now })
    .where('message_id', '=', messageId)
    .where('next_at', '>', now)
    .execute();
}
