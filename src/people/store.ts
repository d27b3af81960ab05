import type { Guard } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';

declare module '../storage/types.ts' {
  interface Database {
    recovery_links: RecoveryLinksTable;
  }
}

/** Links with which their owners choose a new password, once. */
interface RecoveryLinksTable {
  /** SHA-256 of what stands in the link. */
  token_hash: string;
  user_id: string;
  /** Who has given it out. */
  created_by: string;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

/** The newest link is the only one. */
export async function replaceLink(
  tx: Tx,
  link: Pick<RecoveryLinksTable, 'token_hash' | 'user_id' | 'created_by' | 'expires_at'>,
  now: Date,
): Promise<void> {
  await deleteLinks(tx, link.user_id);
  await tx
    .insertInto('recovery_links')
    .values({ ...link, created_at: now, used_at: null })
    .execute();
}

export async function deleteLinks(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('recovery_links').where('user_id', '=', userId).execute();
}

/** Whose link it is and since when, as long as it can be used. */
export const findLink = (db: Db, tokenHash: string, now: Date) =>
  db
    .selectFrom('recovery_links')
    .select(['user_id as userId', 'created_at as createdAt'])
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();

/** Of many at once exactly one finds it unused. */
export const usingLink = (db: Db, tokenHash: string, now: Date): Guard =>
  db
    .updateTable('recovery_links')
    .set({ used_at: now })
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('token_hash');
