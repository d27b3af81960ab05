import { json } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';

/** A setting as it was written, and with its references resolved. A setting is never a secret. */
export interface StoredSetting {
  raw: unknown;
  resolved: unknown;
}

interface SettingsTable {
  section: string;
  document: StoredSetting;
  updated_at: Date;
}

declare module '../storage/types.ts' {
  interface Database {
    settings: SettingsTable;
  }
}

/** The row that says that configuration has been applied once. No member can have this name. */
const marker = '$configured';

export async function readSettings(db: Db): Promise<Map<string, StoredSetting>> {
  const rows = await db
    .selectFrom('settings')
    .select(['section', 'document'])
    .where('section', '<>', marker)
    .execute();
  return new Map(rows.map((row) => [row.section, row.document]));
}

export async function saveSetting(
  tx: Tx,
  section: string,
  document: StoredSetting,
  now: Date,
): Promise<void> {
  await tx
    .insertInto('settings')
    .values({ section, document: json(document), updated_at: now })
    .onConflict((conflict) =>
      conflict.column('section').doUpdateSet({ document: json(document), updated_at: now }),
    )
    .execute();
}

export async function removeSetting(tx: Tx, section: string): Promise<void> {
  await tx.deleteFrom('settings').where('section', '=', section).execute();
}

/** True for exactly one transaction ever: of many at once the others wait for it and then get false. */
export async function markConfigured(tx: Tx, now: Date): Promise<boolean> {
  const row = await tx
    .insertInto('settings')
    .values({ section: marker, document: json({ raw: null, resolved: null }), updated_at: now })
    .onConflict((conflict) => conflict.column('section').doNothing())
    .returning('section')
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Says that configuration is being applied by hand. The row stays locked until the transaction ends, so that of many
 * at once each sees what the one before it has made.
 */
export async function lockConfigured(tx: Tx, now: Date): Promise<void> {
  await tx
    .insertInto('settings')
    .values({ section: marker, document: json({ raw: null, resolved: null }), updated_at: now })
    .onConflict((conflict) => conflict.column('section').doUpdateSet({ updated_at: now }))
    .execute();
}

export async function isConfigured(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('settings')
    .select('section')
    .where('section', '=', marker)
    .executeTakeFirst();
  return row !== undefined;
}
