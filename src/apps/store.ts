import { json } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { StoredApp } from './document.ts';

interface AppsTable {
  id: string;
  document: StoredApp;
  /** Hashes of the secret and, while one is being replaced, of the previous one. */
  secrets: string[];
  created_at: Date;
  updated_at: Date;
}

declare module '../storage/types.ts' {
  interface Database {
    apps: AppsTable;
  }
}

export type AppRow = Pick<AppsTable, 'id' | 'document' | 'secrets'>;

const columns = ['id', 'document', 'secrets'] as const;

export const findApp = (db: Db, id: string): Promise<AppRow | undefined> =>
  db.selectFrom('apps').select(columns).where('id', '=', id).executeTakeFirst();

export const listApps = (db: Db): Promise<AppRow[]> =>
  db.selectFrom('apps').select(columns).orderBy('created_at').orderBy('id').execute();

export async function upsertApp(tx: Tx, row: AppRow, now: Date): Promise<void> {
  const values = { document: json(row.document), secrets: json(row.secrets), updated_at: now };
  await tx
    .insertInto('apps')
    .values({ id: row.id, ...values, created_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute();
}

export async function deleteApp(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('apps').where('id', '=', id).execute();
}
