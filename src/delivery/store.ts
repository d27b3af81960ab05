import { type Generated, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../storage/types.ts';
import type { FailureClass, ReceiptState } from './receipts/contract.ts';
import { stoppedReason } from './receipts/stops.ts';
import type { Channel, MessageState } from './types.ts';

interface ProvidersTable {
  id: string;
  channel: string;
  preset: string;
  position: number;
  enabled: boolean;
  document_sealed: string;
  created_at: Date;
  updated_at: Date;
}

interface MessagesTable {
  id: string;
  channel: Channel;
  purpose: string;
  reference: string | null;
  /** Of the last attempt. */
  provider_id: string | null;
  user_id: string | null;
  login_id: string | null;
  app_id: string | null;
  to_sealed: string | null;
  to_hash: string;
  to_last2: string;
  to_country: string | null;
  /** Text, code and what templates need, until the final state. */
  text_sealed: string | null;
  locale: string;
  status: MessageState;
  /** What failed, of every attempt; masked. */
  reason: string | null;
  gateway_id: string | null;
  /** What the gateway reported afterwards, as far as it came. */
  receipt: ReceiptState | null;
  receipt_at: Date | null;
  /** Why it did not arrive, as reported. */
  failure: FailureClass | null;
  /** What the gateway says it has cost. */
  price_amount: string | null;
  price_currency: string | null;
  /** When what it carried was used. */
  verified_at: Date | null;
  /** The gateway of the last attempt made the code itself: only there can be asked whether a typed one is right. */
  keeps_code: Generated<boolean>;
  /** The gateway of the last attempt wants to hear when what it carried is used. */
  wants_use: Generated<boolean>;
  /** When it is to be told; null: not, or not any more. */
  use_due_at: Date | null;
  /** How often somebody began to tell it. */
  use_tries: Generated<number>;
  created_at: Date;
  fresh_until: Date;
  sending_at: Date | null;
  final_at: Date | null;
  expires_at: Date;
}

declare module '../storage/types.ts' {
  interface Database {
    providers: ProvidersTable;
    messages: MessagesTable;
  }
}

export type ProviderRow = Selectable<ProvidersTable>;
export type MessageRow = Selectable<MessagesTable>;
/** What is known of a message without opening anything. */
export type MessageFacts = Pick<
  MessageRow,
  | 'id'
  | 'channel'
  | 'purpose'
  | 'reference'
  | 'provider_id'
  | 'user_id'
  | 'login_id'
  | 'app_id'
  | 'to_country'
  | 'fresh_until'
>;
/** Their columns. */
export const facts = [
  'id',
  'channel',
  'purpose',
  'reference',
  'provider_id',
  'user_id',
  'login_id',
  'app_id',
  'to_country',
  'fresh_until',
] as const;

/** In the order in which they are asked. */
export const listProviders = (db: Db): Promise<ProviderRow[]> =>
  db.selectFrom('providers').selectAll().orderBy('position').orderBy('id').execute();

export const findProvider = (db: Db, id: string): Promise<ProviderRow | undefined> =>
  db.selectFrom('providers').selectAll().where('id', '=', id).executeTakeFirst();

export async function upsertProvider(
  tx: Tx,
  row: Omit<ProviderRow, 'created_at' | 'updated_at'>,
  now: Date,
): Promise<void> {
  const { id, ...rest } = row;
  const changed = { ...rest, updated_at: now };
  await tx
    .insertInto('providers')
    .values({ id, ...changed, created_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changed))
    .execute();
}

/** Behind all others. */
export async function nextPosition(tx: Tx): Promise<number> {
  const last = await tx
    .selectFrom('providers')
    .select('position')
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  return (last?.position ?? -1) + 1;
}

export async function deleteProvider(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('providers').where('id', '=', id).execute();
}

/**
 * The state of the newest message with this reference, as a value of a select; null: there is none. What the gateway
 * reported later says more than its answer.
 */
export const stateValue = (reference: RawBuilder<string | null>): RawBuilder<MessageState | null> => sql`(
  select case
    when m.receipt = 'failed' then 'failed'
    when m.receipt in ('delivered', 'read') then 'delivered'
    when m.status = 'rejected' and m.reason = ${stoppedReason} then 'stopped'
    when m.status = 'accepted' or m.status = 'unknown' and m.receipt = 'sent'
      then case m.channel when 'voice' then 'calling' else 'accepted' end
    else m.status
  end
  from messages m where m.reference = ${reference} order by m.created_at desc limit 1)`;

export async function stateOf(db: Db, reference: string): Promise<MessageState | null> {
  const { rows } = await sql<{ state: MessageState | null }>`
    select ${stateValue(sql`${reference}`)} as state`.execute(db);
  return rows[0]?.state ?? null;
}

export const findFacts = (db: Db, id: string): Promise<MessageFacts | undefined> =>
  db.selectFrom('messages').select(facts).where('id', '=', id).executeTakeFirst();

export const findMessage = (db: Db, id: string): Promise<MessageRow | undefined> =>
  db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();

/** Whose answer stayed open when this destination was last written to: somebody else is to be asked first. */
export async function lastUnknownProvider(db: Db, hashes: string[], since: Date): Promise<string | null> {
  const row = await db
    .selectFrom('messages')
    .select('provider_id')
    .where('status', '=', 'unknown')
    .where('to_hash', 'in', hashes)
    .where('created_at', '>', since)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.provider_id ?? null;
}

/** Queued before `before` and sent by nobody, the oldest first. */
export const listStaleQueued = (db: Db, before: Date, limit: number): Promise<MessageRow[]> =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('status', '=', 'queued')
    .where('created_at', '<', before)
    .orderBy('created_at')
    .limit(limit)
    .execute();

/** Whoever sent these is gone, and nobody knows how far it came. */
export const listStaleSending = (db: Db, before: Date): Promise<MessageFacts[]> =>
  db
    .selectFrom('messages')
    .select(facts)
    .where('status', '=', 'sending')
    .where('sending_at', '<', before)
    .execute();
