import type { Insertable, Selectable } from 'kysely';
import { joinedSession } from '../sessions/index.ts';
import { drawn, type Guard, json, type Rider, type Slots } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import { joinedUser } from '../users/index.ts';

/** Codes, tokens, consents and pending consent pages. `id_hash` is the SHA-256 of the secret, never the secret. */
interface OidcArtifactsTable {
  id_hash: string;
  model: string;
  grant_id: string | null;
  session_id: string | null;
  user_id: string | null;
  app_id: string | null;
  payload: Record<string, unknown>;
  consumed_at: Date | null;
  created_at: Date;
  expires_at: Date | null;
}

declare module '../storage/types.ts' {
  interface Database {
    oidc_artifacts: OidcArtifactsTable;
  }
}

export type Artifact = Selectable<OidcArtifactsTable>;
export type NewArtifact = Required<Insertable<OidcArtifactsTable>>;

export const findArtifact = (db: Db, idHash: string): Promise<Artifact | undefined> =>
  db.selectFrom('oidc_artifacts').selectAll().where('id_hash', '=', idHash).executeTakeFirst();

const withOwners = drawn((db, slots: Slots<{ idHash: string; now: Date }>) =>
  db
    .selectFrom('oidc_artifacts')
    .selectAll()
    .select(joinedUser('oidc_artifacts.user_id').as('user'))
    .select(joinedSession('oidc_artifacts.session_id', slots.now).as('session'))
    .where('id_hash', '=', slots.idHash),
);

/** An artifact with its user and its live session, all of one moment. */
export const findWithOwners = (db: Db, idHash: string, now: Date) => withOwners.first(db, { idHash, now });

const writing = drawn((db, _slots: Slots<object>, rows: Slots<NewArtifact>[]) =>
  db.insertInto('oidc_artifacts').values(
    rows.map((row) => ({
      id_hash: row.id_hash,
      model: row.model,
      grant_id: row.grant_id,
      session_id: row.session_id,
      user_id: row.user_id,
      app_id: row.app_id,
      payload: json(row.payload),
      consumed_at: row.consumed_at,
      created_at: row.created_at,
      expires_at: row.expires_at,
    })),
  ),
);

/** Writes them. */
export const inserting = (rows: NewArtifact[]): Rider => writing({}, rows);

/** True when the row is new: of many callers with one id exactly one. */
export async function insertOnce(db: Db, row: NewArtifact): Promise<boolean> {
  const inserted = await db
    .insertInto('oidc_artifacts')
    .values({ ...row, payload: json(row.payload) })
    .onConflict((conflict) => conflict.column('id_hash').doNothing())
    .returning('id_hash')
    .executeTakeFirst();
  return inserted !== undefined;
}

const using = drawn((db, slots: Slots<{ idHash: string; now: Date }>) =>
  db
    .updateTable('oidc_artifacts')
    .set({ consumed_at: slots.now })
    .where('id_hash', '=', slots.idHash)
    .where('consumed_at', 'is', null)
    .returning('id_hash'),
);

/** Single use: of many statements exactly one finds the row. */
export const consuming = (idHash: string, now: Date): Guard => using({ idHash, now });

/** Keeps a row until `until`, if not longer anyway. */
export async function prolongArtifact(tx: Tx, idHash: string, until: Date): Promise<void> {
  await tx
    .updateTable('oidc_artifacts')
    .set({ expires_at: until })
    .where('id_hash', '=', idHash)
    .where('expires_at', '<', until)
    .execute();
}

/** Of many statements exactly one removes the row. */
export const deleting = (db: Db, idHash: string) =>
  db.deleteFrom('oidc_artifacts').where('id_hash', '=', idHash).returning('id_hash');

/**
 * Deletes until nothing is found: a rotation that was under way makes the first statement wait, and its new rows are
 * visible to the next one only.
 */
async function untilGone(deleting: { execute(): Promise<unknown[]> }): Promise<void> {
  let deleted: unknown[];
  do {
    deleted = await deleting.execute();
  } while (deleted.length > 0);
}

/** Removes every code and token of a grant. */
export const deleteFamily = (db: Db, grantId: string): Promise<void> =>
  untilGone(db.deleteFrom('oidc_artifacts').where('grant_id', '=', grantId).returning('id_hash'));

/**
 * Removes every code and token of one of a user's sessions, or of all others. A consent stays: it says what an app may
 * know, and signs nobody in.
 */
export const deleteTokens = (
  db: Db,
  userId: string,
  which: { sessionId: string } | { exceptSessionId: string },
): Promise<void> =>
  untilGone(
    db
      .deleteFrom('oidc_artifacts')
      .where('user_id', '=', userId)
      .where('model', 'in', ['AuthorizationCode', 'AccessToken', 'RefreshToken', 'DeviceCode'])
      .where((where) =>
        'sessionId' in which
          ? where('session_id', '=', which.sessionId)
          : where('session_id', 'is distinct from', which.exceptSessionId),
      )
      .returning('id_hash'),
  );

/** Removes everything that was given out for a user, consents too. */
export const deleteAllOf = (db: Db, userId: string): Promise<void> =>
  untilGone(db.deleteFrom('oidc_artifacts').where('user_id', '=', userId).returning('id_hash'));

/** Apps that a user has allowed something, with what. */
export async function listConsents(
  db: Db,
  userId: string,
): Promise<{ appId: string; scopes: string[]; since: Date }[]> {
  const rows = await db
    .selectFrom('oidc_artifacts')
    .select(['app_id as appId', 'payload', 'created_at as since'])
    .where('user_id', '=', userId)
    .where('model', '=', 'Grant')
    .orderBy('created_at')
    .execute();
  return rows.flatMap(({ appId, payload, since }) =>
    appId === null ? [] : [{ appId, scopes: (payload.scopes ?? []) as string[], since }],
  );
}

/** Remembers a consent; what was allowed earlier stays allowed. */
export async function saveConsent(
  tx: Tx,
  consent: { idHash: string; userId: string; appId: string; scopes: string[] },
  now: Date,
): Promise<void> {
  const payload = json<Record<string, unknown>>({ scopes: consent.scopes });
  await tx
    .insertInto('oidc_artifacts')
    .values({
      id_hash: consent.idHash,
      model: 'Grant',
      grant_id: null,
      session_id: null,
      user_id: consent.userId,
      app_id: consent.appId,
      payload,
      consumed_at: null,
      created_at: now,
      expires_at: null,
    })
    .onConflict((conflict) => conflict.column('id_hash').doUpdateSet({ payload }))
    .execute();
}

/** Writes the answer of a consent page, once. */
export async function answerArtifact(
  tx: Tx,
  idHash: string,
  payload: Record<string, unknown>,
  now: Date,
): Promise<boolean> {
  const row = await tx
    .updateTable('oidc_artifacts')
    .set({ payload: json(payload), consumed_at: now })
    .where('id_hash', '=', idHash)
    .where('consumed_at', 'is', null)
    .returning('id_hash')
    .executeTakeFirst();
  return row !== undefined;
}
