import type { Db } from '../storage/types.ts';

/** Whether the code could be passed with: neither used, nor replaced, nor run out. */
export async function isLive(db: Db, codeId: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('otp_codes')
    .select('id')
    .where('id', '=', codeId)
    .where('killed_at', 'is', null)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}
