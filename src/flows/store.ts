import { type JoinedSession, joinedSession } from '../sessions/index.ts';
import { type Guard, json, type Rider, withRiders } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import { type JoinedUser, joinedUser } from '../users/index.ts';
import type { FlowDocument } from './documents/schema.ts';
import type { LoginState } from './engine/state.ts';
import type { Continuation, LoginRecord, LoginResult } from './types.ts';

declare module '../storage/types.ts' {
  interface Database {
    flows: FlowsTable;
    flow_versions: FlowVersionsTable;
    logins: LoginsTable;
  }
}

interface FlowsTable {
  id: string;
  name: string;
  published_version_id: string;
  created_at: Date;
  updated_at: Date;
}

interface FlowVersionsTable {
  id: string;
  flow_id: string;
  version: number;
  status: 'published' | 'archived';
  document: StoredFlow;
  created_at: Date;
}

interface LoginsTable {
  id: string;
  app_id: string;
  flow_version_id: string;
  user_id: string | null;
  session_id: string | null;
  /** `consumed`: what the login was for has been issued. */
  status: LoginRecord['status'] | 'consumed';
  version: number;
  state: LoginState;
  binding_hash: string;
  continuation: Continuation;
  continuation_key: string | null;
  result: LoginResult | null;
  locale: string;
  ip: string | null;
  user_agent: string | null;
  created_at: Date;
  finished_at: Date | null;
  expires_at: Date;
}

/** As written, for export; and with its references resolved when it was saved, which is what runs. */
export interface StoredFlow {
  raw: Record<string, unknown>;
  resolved: FlowDocument;
}

export interface LoginRow {
  id: string;
  appId: string;
  flowVersionId: string;
  /** The browser's session when the login began, if it had one. */
  sessionId: string | null;
  status: LoginsTable['status'];
  version: number;
  state: LoginState;
  bindingHash: string;
  continuation: Continuation;
  locale: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface NewLogin extends Omit<LoginRow, 'status' | 'version'> {
  continuationKey: string | null;
  userId: string | null;
  ip: string;
  userAgent: string | null;
}

const published = (db: Db) =>
  db
    .selectFrom('flows')
    .innerJoin('flow_versions', 'flow_versions.id', 'flows.published_version_id')
    .select(['flow_versions.id', 'flow_versions.document']);

export const findPublished = (db: Db, flowId: string) =>
  published(db).where('flows.id', '=', flowId).executeTakeFirst();

export const listPublished = (db: Db) => published(db).orderBy('flows.id').execute();

export const findVersion = (db: Db, versionId: string) =>
  db.selectFrom('flow_versions').select(['id', 'document']).where('id', '=', versionId).executeTakeFirst();

/** Writes a new version and makes it the one that new logins take. Versions are never changed. */
export async function publishVersion(
  tx: Tx,
  { id, document }: { id: string; document: StoredFlow },
  now: Date,
): Promise<void> {
  const { id: flowId, name } = document.resolved;
  await tx
    .insertInto('flows')
    .values({ id: flowId, name, published_version_id: id, created_at: now, updated_at: now })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ name, published_version_id: id, updated_at: now }),
    )
    .execute();
  await tx
    .updateTable('flow_versions')
    .set({ status: 'archived' })
    .where('flow_id', '=', flowId)
    .where('status', '=', 'published')
    .execute();
  await tx
    .insertInto('flow_versions')
    .values(({ selectFrom, fn, lit }) => ({
      id,
      flow_id: flowId,
      version: selectFrom('flow_versions')
        .where('flow_id', '=', flowId)
        .select(({ eb }) => eb(fn.coalesce(fn.max('version'), lit(0)), '+', 1).as('next')),
      status: 'published' as const,
      document: json(document),
      created_at: now,
    }))
    .execute();
}

export async function deleteFlow(tx: Tx, flowId: string): Promise<void> {
  await tx.deleteFrom('flows').where('id', '=', flowId).execute();
}

export async function insertLogin(db: Db, login: NewLogin, riders: Rider[]): Promise<void> {
  await withRiders(db, riders)
    .insertInto('logins')
    .values({
      id: login.id,
      app_id: login.appId,
      flow_version_id: login.flowVersionId,
      user_id: login.userId,
      session_id: login.sessionId,
      status: 'running',
      version: 1,
      state: json(login.state),
      binding_hash: login.bindingHash,
      continuation: json(login.continuation),
      continuation_key: login.continuationKey,
      locale: login.locale,
      ip: login.ip,
      user_agent: login.userAgent,
      created_at: login.createdAt,
      expires_at: login.expiresAt,
    })
    .execute();
}

/** A login with its user and its browser's live session, all of one moment. */
export type LoginRead = LoginRow & { user: JoinedUser | null; session: JoinedSession | null };

export const findLogin = (db: Db, id: string, now: Date): Promise<LoginRead | undefined> =>
  db
    .selectFrom('logins')
    .select([
      'id',
      'app_id as appId',
      'flow_version_id as flowVersionId',
      'session_id as sessionId',
      'status',
      'version',
      'state',
      'binding_hash as bindingHash',
      'continuation',
      'locale',
      'created_at as createdAt',
      'expires_at as expiresAt',
    ])
    .select(joinedUser('logins.user_id').as('user'))
    .select(joinedSession('logins.session_id', now).as('session'))
    .where('id', '=', id)
    .executeTakeFirst();

/** Whether anybody can still use what was sent for this login. */
export async function isRunning(db: Db, id: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('logins')
    .select('id')
    .where('id', '=', id)
    .where('status', '=', 'running')
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}

/** The present version of a login; undefined when it has gone. */
export async function versionOf(db: Db, id: string): Promise<number | undefined> {
  const row = await db.selectFrom('logins').select('version').where('id', '=', id).executeTakeFirst();
  return row?.version;
}

/** Moves a running login on from `version`. Finds no row when another submit has done so first. */
export const saving = (
  db: Db,
  login: { id: string; version: number; state: LoginState; userId: string | null },
  end: { status: LoginRecord['status']; result: LoginResult | null; now: Date } | undefined,
): Guard =>
  db
    .updateTable('logins')
    .set({
      state: json(login.state),
      version: login.version + 1,
      user_id: login.userId,
      ...(end && { status: end.status, result: json(end.result), finished_at: end.now }),
    })
    .where('id', '=', login.id)
    .where('version', '=', login.version)
    .where('status', '=', 'running')
    .returning('id');

export const findByContinuationKey = (db: Db, key: string) =>
  db
    .selectFrom('logins')
    .select(['id', 'app_id as appId', 'status', 'continuation', 'result', 'expires_at as expiresAt'])
    .select(joinedUser('logins.user_id').as('user'))
    .where('continuation_key', '=', key)
    .executeTakeFirst();

/** Takes what an ended login established; of many statements exactly one finds it. */
export const consuming = (db: Db, id: string): Guard =>
  db
    .updateTable('logins')
    .set({ status: 'consumed' })
    .where('id', '=', id)
    .where('status', 'in', ['finished', 'cancelled', 'failed'])
    .returning('id');
