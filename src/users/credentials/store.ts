import type { Selectable } from 'kysely';
import { type Guard, json } from '../../storage/index.ts';
import type { Db, Tx } from '../../storage/types.ts';

declare module '../../storage/types.ts' {
  interface Database {
    credentials: CredentialsTable;
  }
}

/** What a user has set up to show who they are. One that is being set up has `session_id` and `expires_at`. */
interface CredentialsTable {
  id: string;
  user_id: string;
  type: string;
  label: string;
  /** The secret, bound to the row. */
  sealed: string;
  /** What is no secret about it, as its method keeps it. */
  data: Record<string, unknown>;
  /** The last value that was used of what only goes up (the time step of a code). */
  counter: number | null;
  /** Where it is being set up. */
  session_id: string | null;
  created_at: Date;
  confirmed_at: Date | null;
  last_used_at: Date | null;
  expires_at: Date | null;
}

export type CredentialRow = Selectable<CredentialsTable>;

export function findCredentials(db: Db, userId: string, type: string | undefined): Promise<CredentialRow[]> {
  const confirmed = db
    .selectFrom('credentials')
    .selectAll()
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .orderBy('confirmed_at')
    .orderBy('id');
  return (type === undefined ? confirmed : confirmed.where('type', '=', type)).execute();
}

export const findBegun = (
  db: Db,
  { sessionId, type, userId }: { userId: string; type: string; sessionId: string },
  now: Date,
): Promise<CredentialRow | undefined> =>
  db
    .selectFrom('credentials')
    .selectAll()
    .where('user_id', '=', userId)
    .where('type', '=', type)
    .where('session_id', '=', sessionId)
    .where('confirmed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();

export async function insertCredential(tx: Tx, row: CredentialRow): Promise<void> {
  await tx
    .insertInto('credentials')
    .values({ ...row, data: json(row.data) })
    .execute();
}

/** What of the type is only begun in the session. */
export async function deleteBegun(
  tx: Tx,
  { sessionId, type, userId }: { userId: string; type: string; sessionId: string },
): Promise<void> {
  await tx
    .deleteFrom('credentials')
    .where('user_id', '=', userId)
    .where('type', '=', type)
    .where('session_id', '=', sessionId)
    .where('confirmed_at', 'is', null)
    .execute();
}

/** Of many at once exactly one finds it as it was. */
export const noting = (db: Db, id: string, from: CredentialRow['data'], to: CredentialRow['data']): Guard =>
  db
    .updateTable('credentials')
    .set({ data: json(to) })
    .where('id', '=', id)
    .where('confirmed_at', 'is', null)
    .where('data', '=', json(from))
    .returning('id');

/** Of many at once exactly one finds it unconfirmed. */
export const confirming = (
  db: Db,
  id: string,
  proof: { counter: number | null; label: string },
  now: Date,
): Guard =>
  db
    .updateTable('credentials')
    .set({ ...proof, confirmed_at: now, last_used_at: now, session_id: null, expires_at: null })
    .where('id', '=', id)
    .where('confirmed_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('id');

/** Takes a value of the counter: of many at once exactly one finds it below. */
export const using = (
  db: Db,
  { id, renewed }: { id: string; renewed: string | null },
  counter: number,
  now: Date,
): Guard =>
  db
    .updateTable('credentials')
    .set({ counter, last_used_at: now, ...(renewed !== null && { sealed: renewed }) })
    .where('id', '=', id)
    .where('confirmed_at', 'is not', null)
    .where((where) => where.or([where('counter', 'is', null), where('counter', '<', counter)]))
    .returning('id');

export async function deleteCredential(tx: Tx, userId: string, id: string, type: string): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('credentials')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('type', '=', type)
    .where('confirmed_at', 'is not', null)
    .returning('id')
    .execute();
  return deleted.length > 0;
}
