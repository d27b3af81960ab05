import type { Audit } from '../../audit/types.ts';
import { newId, type RandomSource } from '../../lib/ids.ts';
import { Problem } from '../../lib/problem.ts';
import type { Db, Tx } from '../../storage/types.ts';
import { everybody } from './canary.ts';
import * as store from './store.ts';

export interface PublishingDeps {
  random: RandomSource;
  audit: Audit;
}

/** Who does it, for the record. */
interface Doing {
  flow: string;
  by: string;
}

/** What new logins take after a change. */
export interface Published {
  flow: string;
  version: number;
  /** Number of the version that it took the place of; null: there was none. */
  replaced: number | null;
  /** Percent of the browsers that get it; null: all. */
  share: number | null;
}

/** What a file says is in force at once. Whatever was tried on a share of the browsers ends with it. */
export async function publishFile(
  { random, audit }: PublishingDeps,
  tx: Tx,
  document: store.StoredFlow,
  now: Date,
): Promise<void> {
  const { id: flowId, name } = document.resolved;
  const by = 'config';
  const flow = await store.openFlow(tx, flowId, name, now);
  const replaced = await numberOf(tx, flow, flow.published_version_id);
  const id = newId('flv', random);
  const version = await store.insertVersion(tx, { id, flowId, document, by, note: null }, now);
  await putInForce(tx, flow, { id, name }, { share: null, by, replaced }, now);
  await audit.record(tx, now, [
    eventOf('flow.published', by, { flow: flowId, version, replaced, share: null }),
  ]);
}

/** Saves a draft; one that is there already is put away. Answers its number. */
export async function saveDraft(
  { random, audit }: PublishingDeps,
  tx: Tx,
  { document, by, note }: { document: store.StoredFlow; by: string; note: string | null },
  now: Date,
): Promise<number> {
  const { id: flowId, name } = document.resolved;
  await store.openFlow(tx, flowId, name, now);
  await store.archiveVersions(tx, flowId, 'draft', null, now);
  const draft = { id: newId('flv', random), flowId, document, by, note };
  const version = await store.insertVersion(tx, draft, now);
  await store.forgetVersions(tx, flowId);
  await audit.record(tx, now, [{ name: 'flow.drafted', actor: by, data: { flow: flowId, version } }]);
  return version;
}

export interface Publish extends Doing {
  version: number;
  /** Number of the version that the caller has seen in force; null: none. Another one there is a conflict. */
  replaces: number | null;
  /** Percent of the browsers; null: all. */
  share: number | null;
}

/**
 * Publishes the draft, or the version that is tried on a share. Throws Problem 404, 400, and 409 when another version is in
 * force than the caller has seen, or this one was put away.
 */
export async function publish(
  { audit }: PublishingDeps,
  tx: Tx,
  { flow: flowId, version, replaces, share, by }: Publish,
  now: Date,
): Promise<Published> {
  const hundredths = hundredthsOf(share);
  const flow = await held(tx, flowId);
  const row = await numbered(tx, flowId, version);
  const present = await numberOf(tx, flow, flow.published_version_id);
  if (present !== replaces) throw overtaken(flowId, { seen: replaces, present });
  if (row.id === flow.published_version_id) {
    throw conflict(
      flow.canary_version_id === null || share !== null
        ? `Version ${version} of “${flowId}” is the published one already.`
        : `Version ${version} of “${flowId}” is the published one already; to end the trial beside it, archive that version.`,
    );
  }
  if (row.status === 'archived') {
    throw conflict(
      `Version ${version} of “${flowId}” is archived: roll back to it, or save it as a draft again.`,
    );
  }
  if (hundredths !== null) await demandPlaceForTrial(tx, flow, row);
  const { name } = row.document.resolved;
  const isTrial = flow.canary_version_id === row.id;
  const replaced = isTrial ? undefined : present;
  await putInForce(tx, flow, { id: row.id, name }, { share: hundredths, by, replaced }, now);
  const published = { flow: flowId, version, replaced: present, share };
  await audit.record(tx, now, [eventOf('flow.published', by, published)]);
  return published;
}

export interface Rollback extends Doing {
  /** Number of the version that the caller has seen and takes back: the published one, or the one that is tried. */
  from: number;
  /** Null: what `from` took the place of. */
  to: number | null;
}

/**
 * New logins take an earlier version again. Taking back one that is tried on a share of the browsers ends the trial; any
 * rollback does. Throws Problem 404, and 409 when `from` is not what new logins take by now.
 */
export async function rollBack(
  { audit }: PublishingDeps,
  tx: Tx,
  rollback: Rollback,
  now: Date,
): Promise<Published> {
  const { by, flow: flowId, from } = rollback;
  const flow = await held(tx, flowId);
  const goal = await wayBack(tx, flow, rollback);
  const { document } = await numbered(tx, flowId, goal.version);
  await putInForce(tx, flow, { id: goal.id, name: document.resolved.name }, { share: null, by }, now);
  const published = { flow: flowId, version: goal.version, replaced: from, share: null };
  await audit.record(tx, now, [eventOf('flow.rolled_back', by, published)]);
  return published;
}

/** Where a rollback leads. Throws as {@link rollBack}. */
export async function wayBack(
  db: Db,
  flow: store.FlowRow,
  { from, to }: Pick<Rollback, 'from' | 'to'>,
): Promise<store.VersionRow> {
  const all = await store.listVersions(db, flow.id);
  const present = all.find(({ id }) => id === flow.published_version_id);
  const tried = all.find(({ id }) => id === flow.canary_version_id);
  if (!present) throw conflict(`Nothing of “${flow.id}” is published: there is nothing to go back from.`);
  if (tried?.version === from && (to === null || to === present.version)) return present;
  if (present.version !== from) throw overtaken(flow.id, { seen: from, present: present.version });
  return goalOf(flow.id, all, present, to);
}

/** Of versions of earlier releases it is not known what they took the place of: then the number says. */
function goalOf(flowId: string, all: store.VersionRow[], present: store.VersionRow, to: number | null) {
  const known = all.filter((one) => one.published_at !== null && one.id !== present.id);
  const wanted = to ?? present.replaced;
  const goal = known.find(({ version }) =>
    wanted === null ? version < present.version : version === wanted,
  );
  if (goal) return goal;
  if (to === present.version) throw conflict(`Version ${to} of “${flowId}” is the published one already.`);
  if (to === null) {
    throw conflict(`What “${flowId}” had before version ${present.version} is not there: name a version.`);
  }
  throw all.some(({ version }) => version === to)
    ? conflict(`Version ${to} of “${flowId}” was never published: save it as a draft again.`)
    : unknownVersion(flowId, to);
}

export interface Archive extends Doing {
  version: number;
}

/** Puts a draft away, or ends the trial of a version. A flow of which nothing else is left goes with it. */
export async function archive(
  { audit }: PublishingDeps,
  tx: Tx,
  { flow: flowId, version, by }: Archive,
  now: Date,
): Promise<void> {
  const flow = await held(tx, flowId);
  const row = await numbered(tx, flowId, version);
  if (row.id === flow.published_version_id) {
    throw conflict(
      `Version ${version} of “${flowId}” is the published one: publish another one in its place.`,
    );
  }
  if (row.status === 'archived') throw conflict(`Version ${version} of “${flowId}” is archived already.`);
  if (row.status === 'draft') await store.archiveVersions(tx, flowId, 'draft', null, now);
  else await endTrial(tx, flow, now);
  await audit.record(tx, now, [{ name: 'flow.archived', actor: by, data: { flow: flowId, version } }]);
  if (flow.published_version_id === null) await store.deleteFlow(tx, flowId);
  else await store.forgetVersions(tx, flowId);
}

async function putInForce(
  tx: Tx,
  flow: store.FlowRow,
  version: { id: string; name: string },
  publication: store.Publication,
  now: Date,
): Promise<void> {
  await store.takeVersion(tx, flow, version, publication, now);
  if (publication.share === null) await store.archiveVersions(tx, flow.id, 'published', version.id, now);
  await store.forgetVersions(tx, flow.id);
}

async function endTrial(tx: Tx, flow: store.FlowRow, now: Date): Promise<void> {
  await store.endCanary(tx, flow.id, now);
  await store.archiveVersions(tx, flow.id, 'published', flow.published_version_id, now);
}

/** One version at a time is tried beside the published one. */
async function demandPlaceForTrial(tx: Tx, flow: store.FlowRow, { id }: { id: string }): Promise<void> {
  if (flow.published_version_id === null) {
    throw conflict(`Nothing of “${flow.id}” is published yet: the other browsers would get nothing.`);
  }
  const other = flow.canary_version_id;
  if (other === null || other === id) return;
  const tried = await numberOf(tx, flow, other);
  throw conflict(`Version ${tried} of “${flow.id}” is being tried already: publish or archive it first.`);
}

/** Hundredths of a percent, as they are kept. Throws Problem 400. */
function hundredthsOf(share: number | null): number | null {
  if (share === null) return null;
  const hundredths = Math.round(share * 100);
  if (hundredths >= 1 && hundredths < everybody && Math.abs(hundredths - share * 100) < 1e-6)
    return hundredths;
  const message = 'must be more than 0 and less than 100, with two decimals at the most';
  throw new Problem({
    ...{ status: 400, code: 'invalid_request', message: 'This is no share of the browsers.' },
    errors: [{ path: 'share', message }],
  });
}

async function held(tx: Tx, flowId: string): Promise<store.FlowRow> {
  const flow = await store.lockFlow(tx, flowId);
  if (flow) return flow;
  throw unknownFlow(flowId);
}

export const unknownFlow = (flowId: string): Problem =>
  new Problem({ status: 404, code: 'flow_unknown', message: `There is no flow “${flowId}”.` });

const unknownVersion = (flowId: string, version: number): Problem =>
  new Problem({
    ...{ status: 404, code: 'version_unknown', message: `“${flowId}” has no version ${version}.` },
  });

export async function numbered(db: Db, flowId: string, version: number) {
  const row = await store.findNumbered(db, flowId, version);
  if (row) return row;
  throw unknownVersion(flowId, version);
}

async function numberOf(tx: Tx, flow: store.FlowRow, versionId: string | null): Promise<number | null> {
  if (versionId === null) return null;
  const all = await store.listVersions(tx, flow.id);
  return all.find(({ id }) => id === versionId)?.version ?? null;
}

const conflict = (message: string): Problem => new Problem({ status: 409, code: 'flow_conflict', message });

function overtaken(
  flowId: string,
  { seen, present }: { seen: number | null; present: number | null },
): Problem {
  const called = (version: number | null) => (version === null ? 'nothing' : `version ${version}`);
  const message = `Of “${flowId}” ${called(present)} is published, not ${called(seen)} as you have seen it: look at it, and try again.`;
  return conflict(message);
}

const eventOf = (name: string, by: string, { flow, version, replaced, share }: Published) => ({
  ...{ name, actor: by },
  data: { flow, version, replaced, share },
});
