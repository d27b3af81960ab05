import { sql } from 'kysely';
import type { Db, Tx } from '../../storage/types.ts';
import type { MessageFacts, MessageRow } from '../store.ts';
import type { Price, Receipt } from './contract.ts';

export type ReportedRow = MessageFacts & Pick<MessageRow, 'to_sealed'>;

/** Each says more than those before it; one that says less comes late, or again. */
const states = ['sent', 'failed', 'delivered', 'read'];

const MAX_ID = 200;

/** Messages of this provider that the receipt is about: one, or none. An id that nobody here has given is none. */
function about(providerId: string, { gatewayId, messageId }: Receipt) {
  const own = messageId !== null && /^msg_[\w-]{22}$/.test(messageId);
  if (own) return sql<boolean>`id = ${messageId} and provider_id = ${providerId}`;
  const theirs = gatewayId !== null && gatewayId.length <= MAX_ID && !gatewayId.includes('\0');
  return theirs
    ? sql<boolean>`provider_id = ${providerId} and gateway_id = ${gatewayId}`
    : sql<boolean>`false`;
}

/** Writes what is new; no row when the message is unknown, or when this or more was known already. */
export function applyReceipt(
  tx: Tx,
  providerId: string,
  receipt: Receipt,
  now: Date,
): Promise<ReportedRow | undefined> {
  const order = sql`array[${sql.join(states)}]::text[]`;
  return tx
    .updateTable('messages')
    .set({ receipt: receipt.state, receipt_at: now, failure: receipt.failure })
    .where(about(providerId, receipt))
    .where('status', 'in', ['sending', 'accepted', 'unknown'])
    .where(
      sql<boolean>`coalesce(array_position(${order}, receipt), 0) < array_position(${order}, ${receipt.state}::text)`,
    )
    .returning([
      ...(['id', 'channel', 'purpose', 'reference', 'provider_id'] as const),
      ...(['user_id', 'login_id', 'app_id', 'to_country', 'fresh_until', 'to_sealed'] as const),
    ])
    .executeTakeFirst();
}

/** Answers when the message was asked for; null when its price was known already. */
export async function notePrice(tx: Tx, id: string, { amount, currency }: Price): Promise<Date | null> {
  const row = await tx
    .updateTable('messages')
    .set({ price_amount: amount, price_currency: currency })
    .where('id', '=', id)
    .where('price_amount', 'is', null)
    .returning('created_at')
    .executeTakeFirst();
  return row?.created_at ?? null;
}

export async function isKnown(db: Db, providerId: string, receipt: Receipt): Promise<boolean> {
  const row = await db
    .selectFrom('messages')
    .select('id')
    .where(about(providerId, receipt))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether anything that was sent to this number was ever used. `hashes`: of the number, under every key. */
export async function hasVerified(db: Db, hashes: string[]): Promise<boolean> {
  const row = await db
    .selectFrom('messages')
    .select('id')
    .where('to_hash', 'in', hashes)
    .where('verified_at', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
