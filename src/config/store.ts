import { json } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import { secretsOf, withoutSecrets, withSecrets } from './secrets/setting-secrets.ts';
import type { ConfigSection, SettingSecrets } from './types.ts';

/** A setting as it was written, a literal secret as `${stored}`; and as it is in force. */
export interface StoredSetting {
  raw: unknown;
  resolved: unknown;
  /** It holds a secret in clear, from before there was a seal: the next apply seals it. */
  inClear?: true;
}

interface SettingsTable {
  section: string;
  /** Without its secrets. */
  document: StoredSetting;
  updated_at: Date;
}

interface SettingSecretsTable {
  section: string;
  /** The secrets by their paths, bound to the section. */
  sealed: string;
  updated_at: Date;
}

declare module '../storage/types.ts' {
  interface Database {
    settings: SettingsTable;
    setting_secrets: SettingSecretsTable;
  }
}

/** The row that says that configuration has been applied once. No member can have this name. */
const marker = '$configured';

export async function readSettings(
  db: Db,
  sections: readonly ConfigSection[],
): Promise<Map<string, StoredSetting>> {
  const rows = await db
    .selectFrom('settings')
    .leftJoin('setting_secrets', 'setting_secrets.section', 'settings.section')
    .select(['settings.section', 'document', 'sealed'])
    .where('settings.section', '<>', marker)
    .execute();
  return new Map(
    rows.map(({ document, sealed, section }) => [
      section,
      withSecrets(document, sealed, secretsOf(sections, section)),
    ]),
  );
}

export async function saveSetting(
  tx: Tx,
  section: string,
  whole: StoredSetting,
  secrets: SettingSecrets | undefined,
  now: Date,
): Promise<void> {
  const { document, sealed } = withoutSecrets(whole, secrets);
  if (sealed === null) await removeSecrets(tx, section);
  else {
    await tx
      .insertInto('setting_secrets')
      .values({ section, sealed, updated_at: now })
      .onConflict((conflict) => conflict.column('section').doUpdateSet({ sealed, updated_at: now }))
      .execute();
  }
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
  await removeSecrets(tx, section);
}

async function removeSecrets(tx: Tx, section: string): Promise<void> {
  await tx.deleteFrom('setting_secrets').where('section', '=', section).execute();
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
