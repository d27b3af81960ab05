import { json } from '../../storage/index.ts';
import type { Db, Tx } from '../../storage/types.ts';
import type { ChannelDocument } from './document.ts';

/** References kept beside what they stand for, as for flows: they are resolved when they are saved. */
interface Kept {
  raw: Record<string, unknown>;
  resolved: ChannelDocument;
}

interface ChannelsTable {
  id: string;
  document: Kept;
  updated_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    channels: ChannelsTable;
  }
}

export const listChannels = (db: Db): Promise<{ id: string; document: Kept }[]> =>
  db.selectFrom('channels').select(['id', 'document']).orderBy('id').execute();

export const findChannel = (db: Db, id: string): Promise<{ document: Kept } | undefined> =>
  db.selectFrom('channels').select('document').where('id', '=', id).executeTakeFirst();

export async function upsertChannel(tx: Tx, id: string, document: Kept, now: Date): Promise<void> {
  const changed = { document: json(document), updated_at: now };
  await tx
    .insertInto('channels')
    .values({ id, ...changed })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changed))
    .execute();
}

export async function deleteChannel(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('channels').where('id', '=', id).execute();
}
