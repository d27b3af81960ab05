import { sql } from 'kysely';
import { json } from '../../storage/index.ts';
import type { Db, Tx } from '../../storage/types.ts';
import type { FlowDocument } from '../documents/schema.ts';

declare module '../../storage/types.ts' {
  interface Database {
    flows: FlowsTable;
    flow_versions: FlowVersionsTable;
  }
}

interface FlowsTable {
  id: string;
  name: string;
  /** Null: there are only drafts so far. */
  published_version_id: string | null;
  canary_version_id: string | null;
  /** Hundredths of a percent of the browsers. */
  canary_share: number | null;
  created_at: Date;
  updated_at: Date;
}

interface FlowVersionsTable {
  id: string;
  flow_id: string;
  version: number;
  /** `published`: new logins take it, all of them or a share. */
  status: 'draft' | 'published' | 'archived';
  document: StoredFlow;
  note: string | null;
  created_by: string | null;
  created_at: Date;
  /** When new logins began to take it, the last time; null: never. */
  published_at: Date | null;
  published_by: string | null;
  /** Number of the version that it took the place of: where a rollback goes. */
  replaced: number | null;
  archived_at: Date | null;
}

/** As written, for export; and with its references resolved when it was saved, which is what runs. */
export interface StoredFlow {
  raw: Record<string, unknown>;
  resolved: FlowDocument;
}

/** Archived versions that are kept of each flow; those that a login is on are not counted. */
export const keptVersions = 100;

const published = (db: Db) =>
  db
    .selectFrom('flows')
    .innerJoin('flow_versions', 'flow_versions.id', 'flows.published_version_id')
    .select(['flow_versions.id', 'flow_versions.version', 'flow_versions.document']);

export const findPublished = (db: Db, flowId: string) =>
  published(db).where('flows.id', '=', flowId).executeTakeFirst();

export const listPublished = (db: Db) => published(db).orderBy('flows.id').execute();

/** What new logins take: the published version, and beside it the one that a share of the browsers gets. */
export const findCurrent = (db: Db, flowId: string) =>
  published(db)
    .leftJoin('flow_versions as canary', 'canary.id', 'flows.canary_version_id')
    .select([
      'canary.id as canaryId',
      'canary.version as canaryVersion',
      'canary.document as canaryDocument',
      'flows.canary_share as share',
    ])
    .where('flows.id', '=', flowId)
    .executeTakeFirst();

export const findVersion = (db: Db, versionId: string) =>
  db
    .selectFrom('flow_versions')
    .select(['id', 'version', 'document'])
    .where('id', '=', versionId)
    .executeTakeFirst();

export type FlowRow = FlowsTable;
export type VersionRow = Omit<FlowVersionsTable, 'document'>;

export const listFlows = (db: Db): Promise<FlowRow[]> =>
  db.selectFrom('flows').selectAll().orderBy('id').execute();

export const findFlow = (db: Db, id: string): Promise<FlowRow | undefined> =>
  db.selectFrom('flows').selectAll().where('id', '=', id).executeTakeFirst();

/** Whoever changes what a flow's new logins take holds this row: of many at once each sees what the one before made. */
export const lockFlow = (tx: Tx, id: string): Promise<FlowRow | undefined> =>
  tx.selectFrom('flows').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

/** All but their documents, the newest first. */
export const listVersions = (db: Db, flowId?: string): Promise<VersionRow[]> =>
  db
    .selectFrom('flow_versions')
    .select([
      ...(['id', 'flow_id', 'version', 'status', 'note', 'created_by', 'created_at'] as const),
      ...(['published_at', 'published_by', 'replaced', 'archived_at'] as const),
    ])
    .$if(flowId !== undefined, (query) => query.where('flow_id', '=', flowId ?? ''))
    .orderBy('version', 'desc')
    .execute();

export const findNumbered = (db: Db, flowId: string, version: number) =>
  db
    .selectFrom('flow_versions')
    .selectAll()
    .where('flow_id', '=', flowId)
    .where('version', '=', version)
    .executeTakeFirst();

/** Logins under way, by the id of their version. */
export async function countRunning(db: Db, flowId: string, now: Date): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('logins')
    .innerJoin('flow_versions', 'flow_versions.id', 'logins.flow_version_id')
    .select(({ fn }) => ['flow_versions.id', fn.countAll<number>().as('n')])
    .where('flow_versions.flow_id', '=', flowId)
    .where('logins.status', '=', 'running')
    .where('logins.expires_at', '>', now)
    .groupBy('flow_versions.id')
    .execute();
  return new Map(rows.map(({ id, n }) => [id, n]));
}

/** Makes sure that there is a row, and holds it. */
export async function openFlow(tx: Tx, id: string, name: string, now: Date): Promise<FlowRow> {
  await tx
    .insertInto('flows')
    .values({ id, name, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  const flow = await lockFlow(tx, id);
  if (!flow) throw new Error(`the flow ${id} was removed at this very moment`);
  return flow;
}

export interface NewVersion {
  id: string;
  flowId: string;
  document: StoredFlow;
  by: string;
  note: string | null;
}

/** Writes a new version as a draft and answers its number. Call it only while holding the flow. */
export async function insertVersion(tx: Tx, version: NewVersion, now: Date): Promise<number> {
  const row = await tx
    .insertInto('flow_versions')
    .values(({ selectFrom, fn, lit }) => ({
      id: version.id,
      flow_id: version.flowId,
      version: selectFrom('flow_versions')
        .where('flow_id', '=', version.flowId)
        .select(({ eb }) => eb(fn.coalesce(fn.max('version'), lit(0)), '+', 1).as('next')),
      status: 'draft' as const,
      document: json(version.document),
      note: version.note,
      created_by: version.by,
      created_at: now,
    }))
    .returning('version')
    .executeTakeFirstOrThrow();
  return row.version;
}

export interface Publication {
  /** Null: everybody gets it. */
  share: number | null;
  by: string;
  /** Number of the version that it takes the place of; undefined leaves what stands there. */
  replaced?: number | null | undefined;
}

/** New logins take this version from now on, all of them or a share. */
export async function takeVersion(
  tx: Tx,
  flow: Pick<FlowRow, 'id'>,
  version: { id: string; name: string },
  { share, by, replaced }: Publication,
  now: Date,
): Promise<void> {
  await tx
    .updateTable('flows')
    .set(
      share === null
        ? {
            ...{ name: version.name, published_version_id: version.id },
            ...{ canary_version_id: null, canary_share: null, updated_at: now },
          }
        : { canary_version_id: version.id, canary_share: share, updated_at: now },
    )
    .where('id', '=', flow.id)
    .execute();
  await tx
    .updateTable('flow_versions')
    .set({
      ...{ status: 'published', published_at: now, published_by: by, archived_at: null },
      ...(replaced !== undefined && { replaced }),
    })
    .where('id', '=', version.id)
    .execute();
}

/** Archives versions of a flow that have the status, all but one. */
export async function archiveVersions(
  tx: Tx,
  flowId: string,
  status: 'draft' | 'published',
  except: string | null,
  now: Date,
): Promise<void> {
  await tx
    .updateTable('flow_versions')
    .set({ status: 'archived', archived_at: now })
    .where('flow_id', '=', flowId)
    .where('status', '=', status)
    .$if(except !== null, (query) => query.where('id', '<>', except))
    .execute();
}

/** Nobody gets a version apart from the others any more. */
export async function endCanary(tx: Tx, flowId: string, now: Date): Promise<void> {
  await tx
    .updateTable('flows')
    .set({ canary_version_id: null, canary_share: null, updated_at: now })
    .where('id', '=', flowId)
    .execute();
}

/**
 * Removes archived versions beyond {@link keptVersions}, those first that were in force the longest time ago. Never one
 * that a login is on: its next page comes from it.
 */
export async function forgetVersions(tx: Tx, flowId: string): Promise<void> {
  await sql`
    delete from flow_versions where id in (
      select id from flow_versions
      where flow_id = ${flowId} and status = 'archived'
        and not exists (select from logins where logins.flow_version_id = flow_versions.id)
      order by archived_at desc nulls last, version desc offset ${sql.lit(keptVersions)}
    )`.execute(tx);
}

export async function deleteFlow(tx: Tx, flowId: string): Promise<void> {
  await tx.deleteFrom('flows').where('id', '=', flowId).execute();
}
