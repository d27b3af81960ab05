import { json } from '../../storage/index.ts';
import type { Db, Tx } from '../../storage/types.ts';
import type { MessageDocument } from './document.ts';

/** References kept beside what they stand for: they are resolved when they are saved. */
interface Kept {
  raw: Record<string, unknown>;
  resolved: MessageDocument;
}

interface MessageTextsTable {
  /** What the entry is for: `shop/de/sms/*`. */
  id: string;
  document: Kept;
  updated_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    message_texts: MessageTextsTable;
  }
}

export const listTexts = (db: Db): Promise<{ id: string; document: Kept }[]> =>
  db.selectFrom('message_texts').select(['id', 'document']).orderBy('id').execute();

export const findText = (db: Db, id: string): Promise<{ document: Kept } | undefined> =>
  db.selectFrom('message_texts').select('document').where('id', '=', id).executeTakeFirst();

export async function upsertText(tx: Tx, id: string, document: Kept, now: Date): Promise<void> {
  const changed = { document: json(document), updated_at: now };
  await tx
    .insertInto('message_texts')
    .values({ id, ...changed })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changed))
    .execute();
}

export async function deleteText(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('message_texts').where('id', '=', id).execute();
}
