import { sql } from 'kysely';
import type { Db, Tx } from '../storage/types.ts';
import type { Crypto, OlderKey, SealedColumn, Unreadable } from './types.ts';

/** The database holds what none of the keys at hand opens. */
export class SecretsUnreadable extends Error {
  constructor({ keyIds, lost }: Unreadable) {
    const what = lost.map(({ what, count }) => `${what}: ${count}`).join(', ');
    super(
      `SECRET_KEY does not open what this database holds under the key ${keyIds.map((id) => `"${id}"`).join(', ')} (${what}). Give SECRET_KEY the key that sealed it, after a rotation as id:base64 behind the new one. If that key is lost for good: sallyport database discard-sealed.`,
    );
    this.name = 'SecretsUnreadable';
  }
}

export const signingKeysSealed: SealedColumn[] = [
  {
    table: 'signing_keys',
    column: 'private_sealed',
    what: 'signing keys',
    opens: { purpose: 'signing-key', context: 'kid' },
  },
];

/**
 * Looks whether the keys at hand open what the database holds. Whatever can be tried is tried; of keyed hashes, which
 * cannot be opened, those count that name a key which failed. Null when everything can be read.
 */
export async function findUnreadable(
  db: Db,
  crypto: Crypto,
  columns: readonly SealedColumn[],
): Promise<Unreadable | null> {
  const keyIds = new Set<string>();
  for (const column of columns) {
    if (column.opens === undefined) continue;
    for (const { sealed } of await failing(db, crypto, column, column.opens)) keyIds.add(keyIdOf(sealed));
  }
  if (keyIds.size === 0) return null;
  const lost: Unreadable['lost'] = [];
  for (const { table, column, what } of columns) {
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from ${sql.table(table)} where ${under(column, keyIds)}`.execute(db);
    if (rows[0] && rows[0].n > 0) lost.push({ what, count: rows[0].n });
  }
  return { keyIds: [...keyIds], lost };
}

/** What would be lost without the keys that are kept for reading only, and what is without those that are gone. */
export async function findOlderKeys(
  db: Db,
  { keyIds: [newest, ...others] }: Pick<Crypto, 'keyIds'>,
  columns: readonly SealedColumn[],
): Promise<OlderKey[]> {
  const found = new Map<string, OlderKey['rows']>();
  for (const { column, table, what } of columns) {
    const { rows } = await sql<{ id: string; n: number }>`
      select split_part(${sql.ref(column)}, '.', 1) as id, count(*)::integer as n from ${sql.table(table)}
      where ${sql.ref(column)} is not null group by 1 order by 1`.execute(db);
    for (const { id, n } of rows) found.set(id, [...(found.get(id) ?? []), { what, count: n }]);
  }
  return [...found]
    .filter(([id]) => id !== newest && id !== '')
    .map(([id, rows]) => ({ id, held: others.includes(id), rows }));
}

/** Removes what {@link findUnreadable} found, and answers what it was. Call it only with nothing running. */
export async function discardUnreadable(
  tx: Tx,
  crypto: Crypto,
  columns: readonly SealedColumn[],
): Promise<Unreadable | null> {
  const found = await findUnreadable(tx, crypto, columns);
  if (found === null) return null;
  for (const { table, column } of columns) {
    await sql`delete from ${sql.table(table)} where ${under(column, new Set(found.keyIds))}`.execute(tx);
  }
  return found;
}

/** Rows whose value does not open. Few tables are tried, and few rows are in them. */
async function failing(
  db: Db,
  crypto: Crypto,
  { table, column }: SealedColumn,
  { purpose, context }: NonNullable<SealedColumn['opens']>,
): Promise<{ sealed: string }[]> {
  const { rows } = await sql<{ sealed: string; context: string }>`
    select ${sql.ref(column)} as sealed, ${sql.ref(context)} as context from ${sql.table(table)}
    where ${sql.ref(column)} is not null`.execute(db);
  return rows.filter((row) => {
    try {
      crypto.open(purpose, row.sealed, row.context);
      return false;
    } catch {
      return true;
    }
  });
}

/** The id of the key stands before the first dot of what is sealed or hashed. */
const keyIdOf = (value: string): string => value.slice(0, value.indexOf('.'));

const under = (column: string, keyIds: ReadonlySet<string>) =>
  sql<boolean>`split_part(${sql.ref(column)}, '.', 1) in (${sql.join([...keyIds])})`;
