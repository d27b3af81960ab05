import { type Selectable, sql } from 'kysely';
import { drawn, type Guard, json, type Slots } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { Identifier } from './identifiers.ts';
import { hasProved } from './phones/store.ts';

interface UsersTable {
  id: string;
  username: string;
  username_key: string;
  name: string | null;
  email: string | null;
  email_key: string | null;
  email_verified: boolean;
  phone: string | null;
  phone_verified: boolean;
  /** Proved, and never without a first one that is. */
  second_phone: string | null;
  password_hash: string | null;
  password_changed_at: Date | null;
  code_off: boolean;
  code_off_until: Date | null;
  disabled_at: Date | null;
  /** When a forgotten password was replaced last, and by what: a channel, or `link`. */
  recovered_at: Date | null;
  recovered_by: string | null;
  /** When the account goes, as its owner wished. */
  delete_at: Date | null;
  groups: string[];
  attributes: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
}

interface BackupCodesTable {
  id: string;
  user_id: string;
  code_hash: string;
  short: boolean;
  created_at: Date;
  used_at: Date | null;
}

declare module '../storage/types.ts' {
  interface Database {
    users: UsersTable;
    backup_codes: BackupCodesTable;
  }
}

export type UserRow = Selectable<UsersTable>;
/** A row with how many backup codes the user has left: whoever logs somebody in wants to know both. */
export type UserRead = UserRow & { unused_codes: number };
export type UserChange = Partial<Omit<UserRow, 'id' | 'groups' | 'attributes'>>;
export type BackupCodeRow = Selectable<BackupCodesTable>;

const unused = sql<number>`(select count(*)::integer from backup_codes
  where backup_codes.user_id = users.id and backup_codes.used_at is null)`;

const reading = (db: Db) => db.selectFrom('users').selectAll().select(unused.as('unused_codes'));

const byId = drawn((db, slots: Slots<{ id: string }>) => reading(db).where('id', '=', slots.id));

export const findUser = (db: Db, id: string): Promise<UserRead | undefined> => byId.first(db, { id });

/** Rows that refer to the user may still be written meanwhile: a login that finishes must not wait here crosswise. */
export const lockUser = (tx: Tx, id: string): Promise<UserRead | undefined> =>
  reading(tx).where('id', '=', id).forNoKeyUpdate().executeTakeFirst();

/** As PostgreSQL writes a row as JSON: moments are texts. */
export type JoinedUser = {
  [Column in keyof UserRead]: UserRead[Column] extends Date
    ? string
    : UserRead[Column] extends Date | null
      ? string | null
      : UserRead[Column];
};

/**
 * The user whose id stands in a column of the statement at hand (`logins.user_id`), as one value of it: read at the same
 * moment and without a statement more. For {@link Users.fromJoined}.
 */
export const joinedUser = (column: string) =>
  sql<JoinedUser | null>`(select to_jsonb(found) from (
    select users.*, ${unused} as unused_codes from users where users.id = ${sql.ref(column)}) found)`;

const momentOf = (written: string | null): Date | null => (written === null ? null : new Date(written));

export const readJoined = (row: JoinedUser): UserRead => ({
  ...row,
  password_changed_at: momentOf(row.password_changed_at),
  code_off_until: momentOf(row.code_off_until),
  disabled_at: momentOf(row.disabled_at),
  recovered_at: momentOf(row.recovered_at),
  delete_at: momentOf(row.delete_at),
  created_at: new Date(row.created_at),
  updated_at: new Date(row.updated_at),
});

/** One value of JSON is read in less time than a column after the other. */
const asJson = (db: Db, query: ReturnType<typeof reading>) =>
  db.selectFrom(query.as('found')).select(sql<JoinedUser>`to_json(found)`.as('user'));

const byIdentifier = {
  username: drawn((db, slots: Slots<{ key: string }>) =>
    asJson(db, reading(db).where('username_key', '=', slots.key)),
  ),
  email: drawn((db, slots: Slots<{ key: string }>) =>
    asJson(db, reading(db).where('email_key', '=', slots.key).where('email_verified', '=', true)),
  ),
  phone: drawn((db, slots: Slots<{ key: string }>) =>
    asJson(
      db,
      reading(db).where((where) => hasProved(where, [slots.key])),
    ),
  ),
} satisfies Record<Identifier['kind'], unknown>;

export async function findUserByIdentifier(db: Db, { kind, key }: Identifier): Promise<UserRead | undefined> {
  const row = await byIdentifier[kind].first(db, { key });
  return row && readJoined(row.user);
}

export async function usernameExists(db: Db, usernameKey: string): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('id')
    .where('username_key', '=', usernameKey)
    .executeTakeFirst();
  return row !== undefined;
}

/** Answers false when the user name, or a verified address or number, is already somebody's. */
export async function insertUser(tx: Tx, row: UserRow): Promise<boolean> {
  const inserted = await tx
    .insertInto('users')
    .values({ ...row, groups: json(row.groups), attributes: json(row.attributes) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

/** Which members that identify are already somebody's. */
export async function takenMembers(
  db: Db,
  row: UserRow,
): Promise<('username' | 'email' | 'phone' | 'secondPhone')[]> {
  const isFound = async (kind: Identifier['kind'], key: string | null) =>
    key !== null && (await findUserByIdentifier(db, { kind, key })) !== undefined;
  const taken = {
    username: await usernameExists(db, row.username_key),
    email: await isFound('email', row.email_verified ? row.email_key : null),
    phone: await isFound('phone', row.phone_verified ? row.phone : null),
    secondPhone: await isFound('phone', row.second_phone),
  };
  return (['username', 'email', 'phone', 'secondPhone'] as const).filter((member) => taken[member]);
}

const holding = drawn((db, slots: Slots<{ id: string; changedAt: Date | null }>) =>
  db
    .selectFrom('users')
    .select('id')
    .where('id', '=', slots.id)
    .where('password_changed_at', 'is not distinct from', slots.changedAt)
    .where('disabled_at', 'is', null)
    .forShare(),
);

/**
 * Finds the row as long as the account is on and its password is the one of `changedAt`. Shares the row: whoever changes
 * the password now comes after what this is written with, or this finds nothing.
 */
export const holdingPassword = (id: string, changedAt: Date | null): Guard => holding({ id, changedAt });

/** Replaces the hash only while it is still `from`, so that a change made in the meantime wins. */
export async function replacePasswordHash(
  db: Db,
  id: string,
  from: string,
  to: string,
  now: Date,
): Promise<void> {
  await db
    .updateTable('users')
    .set({ password_hash: to, updated_at: now })
    .where('id', '=', id)
    .where('password_hash', '=', from)
    .execute();
}

/** Answers false when there is no such user. */
export async function updateUser(tx: Tx, id: string, values: UserChange): Promise<boolean> {
  const result = await tx.updateTable('users').set(values).where('id', '=', id).executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function findDue(db: Db, limit: number, now: Date): Promise<string[]> {
  const due = await db
    .selectFrom('users')
    .select('id')
    .where('delete_at', '<=', now)
    .orderBy('delete_at')
    .limit(limit)
    .execute();
  return due.map(({ id }) => id);
}

/** Backup codes and credentials go with it. */
export async function deleteUser(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('users').where('id', '=', id).execute();
}

export async function countUnusedCodes(db: Db, userId: string): Promise<number> {
  const row = await db
    .selectFrom('backup_codes')
    .select(({ fn }) => fn.countAll().as('n'))
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** All codes of a user are made at once. */
export async function readMade(db: Db, userId: string): Promise<{ count: number; at: Date } | null> {
  const row = await db
    .selectFrom('backup_codes')
    .select(({ fn }) => [fn.countAll<number>().as('n'), fn.max('created_at').as('at')])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return row.at === null ? null : { count: Number(row.n), at: row.at };
}

export const unusedCodes = (db: Db, userId: string): Promise<Pick<BackupCodeRow, 'code_hash' | 'short'>[]> =>
  db
    .selectFrom('backup_codes')
    .select(['code_hash', 'short'])
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .execute();

/** The guarded statement that makes a code single-use. */
export async function useCode(tx: Tx, userId: string, hashes: string[], now: Date): Promise<boolean> {
  const used = await tx
    .updateTable('backup_codes')
    .set({ used_at: now })
    .where('user_id', '=', userId)
    .where('code_hash', 'in', hashes)
    .where('used_at', 'is', null)
    .returning('id')
    .execute();
  return used.length > 0;
}

export async function replaceCodes(tx: Tx, userId: string, rows: BackupCodeRow[]): Promise<void> {
  await tx.deleteFrom('backup_codes').where('user_id', '=', userId).execute();
  if (rows.length === 0) return;
  await tx
    .insertInto('backup_codes')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['user_id', 'code_hash']).doNothing())
    .execute();
}
