import { expressionBuilder } from 'kysely';
import { newId } from '../../lib/ids.ts';
import type { Slot } from '../../storage/index.ts';
import type { Database, Db, Tx } from '../../storage/types.ts';
import type { Destination } from '../types.ts';

/** A number that wants no more messages, until it says otherwise. */
interface StoppedNumbersTable {
  id: string;
  to_hash: string;
  to_last2: string;
  to_country: string | null;
  /** Through whom it said so. */
  provider_id: string;
  stopped_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    stopped_numbers: StoppedNumbersTable;
  }
}

/** What stands as the reason at a message to such a number. */
export const stoppedReason = 'the number has asked for no more messages (STOP)';

/** The words of Twilio's and the CTIA's lists: whole messages, however they are written. */
const stopWords = new Set(['stop', 'stopall', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'optout']);
const startWords = new Set(['start', 'yes', 'unstop']);

/** What a reply asks for; null: it is some other message. */
export function wishOf(text: string): 'stop' | 'start' | null {
  const word = text.toLowerCase().replace(/[^a-z]/g, '');
  if (stopWords.has(word)) return 'stop';
  return startWords.has(word) ? 'start' : null;
}

/** As a condition. `hashes`: of the number, under every key. */
export const isStopped = (hashes: Slot<string>[]) => {
  const eb = expressionBuilder<Database>();
  return eb.exists(eb.selectFrom('stopped_numbers').select('id').where('to_hash', 'in', hashes));
};

export async function findStopped(db: Db, hashes: string[]): Promise<boolean> {
  const row = await db
    .selectFrom('stopped_numbers')
    .select('id')
    .where('to_hash', 'in', hashes)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** False when it was known already. */
export async function stopNumber(
  tx: Tx,
  destination: Omit<Destination, 'sealed'>,
  providerId: string,
  now: Date,
): Promise<boolean> {
  const row = await tx
    .insertInto('stopped_numbers')
    .values({
      ...{ id: newId('stp'), to_hash: destination.hash, to_last2: destination.last2 },
      ...{ to_country: destination.country, provider_id: providerId, stopped_at: now },
    })
    .onConflict((conflict) => conflict.column('to_hash').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function resumeNumber(tx: Tx, hashes: string[]): Promise<boolean> {
  const row = await tx
    .deleteFrom('stopped_numbers')
    .where('to_hash', 'in', hashes)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
