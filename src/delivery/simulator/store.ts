import type { Crypto } from '../../crypto/types.ts';
import { after } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import type { Db } from '../../storage/types.ts';
import type { Dispatch } from '../preset.ts';
import type { Channel } from '../types.ts';
import { valuesOf } from '../values.ts';

interface SimulatorMessagesTable {
  id: string;
  message_id: string;
  channel: Channel;
  to_hash: string;
  /** {@link Content}, sealed. */
  sealed: string;
  at: Date;
  expires_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    simulator_messages: SimulatorMessagesTable;
  }
}

/** What a phone would show. */
interface Content {
  to: string;
  from: string | null;
  /** Of a mail. */
  subject: string | null;
  text: string;
  code: string | null;
  app: string | null;
}

export interface SimulatedMessage extends Content {
  id: string;
  channel: Channel;
  at: Date;
}

const KEPT_MS = 86_400_000;
const MOST = 100;

export async function insertSimulated(db: Db, crypto: Crypto, message: Dispatch, now: Date): Promise<void> {
  const id = newId('sim');
  const { to, from, text, code, app } = message;
  const subject = message.channel === 'email' ? valuesOf(message)('ctx.subject') || null : null;
  const content: Content = { to, from, subject, text, code, app: app?.name ?? null };
  await db
    .insertInto('simulator_messages')
    .values({
      id,
      message_id: message.id,
      channel: message.channel,
      to_hash: crypto.mac('simulator', to),
      sealed: crypto.seal('simulator', JSON.stringify(content), id),
      at: now,
      expires_at: after(now, KEPT_MS),
    })
    .execute();
}

/** The newest first; of one number, or of all. */
export async function listSimulated(
  db: Db,
  crypto: Crypto,
  to: string | null,
  now: Date,
): Promise<SimulatedMessage[]> {
  const rows = await db
    .selectFrom('simulator_messages')
    .select(['id', 'channel', 'sealed', 'at'])
    .where('expires_at', '>', now)
    .$if(to !== null, (query) => query.where('to_hash', 'in', crypto.macs('simulator', to ?? '')))
    .orderBy('at', 'desc')
    .orderBy('id')
    .limit(MOST)
    .execute();
  return rows.map(({ id, channel, sealed, at }) => {
    const content = JSON.parse(crypto.open('simulator', sealed, id)) as Content;
    return { id, channel, at, ...content, subject: content.subject ?? null };
  });
}
