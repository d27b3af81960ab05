import type { Apps } from '../../apps/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Storage, Tx } from '../../storage/types.ts';
import type { FlowDocument } from '../documents/schema.ts';
import { type FlowFigures, readFigures } from '../figures/figures.ts';
import {
  type Simulation,
  type SimulationRequest,
  type SimulatorDeps,
  simulateLogin,
} from '../simulation/simulator.ts';
import { type BuiltInFlow, findBuiltIn, type ReadOwnPages, unchangeable } from './built-in.ts';
import { demandNone, type JudgedFlow, type JudgingDeps, judge, readDocuments, unfit } from './judging.ts';
import * as publishing from './publishing.ts';
import * as store from './store.ts';

export interface FlowDeskDeps extends publishing.PublishingDeps, JudgingDeps {
  storage: Pick<Storage, 'db' | 'transaction' | 'revisions'>;
  clock: Clock;
  apps: Pick<Apps, 'list'> & SimulatorDeps['apps'];
  users: SimulatorDeps['users'];
  /** Flows that are built in, and pages of the gateway that ask for one. */
  ownPages: ReadOwnPages;
}

/** Moments as ISO 8601: it travels as JSON. */
export interface VersionSummary {
  version: number;
  /** `trial`: a share of the browsers gets it. */
  status: 'draft' | 'published' | 'trial' | 'archived';
  /** Percent of the browsers, for a trial. */
  share: number | null;
  note: string | null;
  createdBy: string | null;
  createdAt: string;
  publishedBy: string | null;
  publishedAt: string | null;
}

export interface FlowSummary {
  id: string;
  name: string;
  /** For a flow that is built in and has no versions: what it is for, and where another one is named. */
  builtIn: string | null;
  published: number | null;
  trial: { version: number; share: number } | null;
  draft: number | null;
  /** Apps whose users go through it. */
  apps: string[];
}

/** One version of a flow, and what else there is of it. */
export interface FlowShown extends FlowSummary {
  /** 0 for a flow that is built in. */
  version: number;
  /** As it was written. */
  document: Record<string, unknown>;
  versions: (VersionSummary & { running: number })[];
}

/** What people who run a gateway do with flows, by commands or a console. Input and answers are plain JSON. */
export interface FlowDesk {
  list(): Promise<FlowSummary[]>;
  /** `version`: default the published one, or the draft where nothing is. Throws Problem 404. */
  show(flow: string, version: number | null): Promise<FlowShown>;
  /** Judges documents as they would be saved. Saves nothing. */
  check(documents: Record<string, unknown>[]): Promise<JudgedFlow[]>;
  /** Saves all as drafts, or none. Throws Problem 400 with everything that is wrong. */
  draft(
    documents: Record<string, unknown>[],
    doing: { by: string; note: string | null },
  ): Promise<{ flow: string; version: number }[]>;
  /** Throws Problem 404, 409 (also for a flow that is built in), and 400 for what would no longer pass the checks. */
  publish(publication: publishing.Publish): Promise<publishing.Published>;
  /** Takes a version back that new logins take. Throws as {@link FlowDesk.publish}. */
  rollBack(rollback: publishing.Rollback): Promise<publishing.Published>;
  /** Throws Problem 404 and 409. */
  archive(doing: publishing.Archive): Promise<void>;
  /** What a user would be asked, and by which rule. Writes and sends nothing. Throws Problem 400 and 404. */
  simulate(request: SimulationRequest): Promise<Simulation>;
  /** Of logins that began in the last `sinceMs`. Throws Problem 404. */
  figures(flow: string, asked: { version: number | null; sinceMs: number }): Promise<FlowFigures>;
}

export function createFlowDesk(deps: FlowDeskDeps): FlowDesk {
  const { clock, storage } = deps;
  const change = async <T>(work: (tx: Tx, now: Date) => Promise<T>): Promise<T> => {
    const done = await storage.transaction(async (tx) => {
      const answer = await work(tx, clock.now());
      await storage.revisions.bump(tx, 'flows');
      return answer;
    });
    await storage.revisions.refresh();
    return done;
  };

  return {
    list: () => list(deps),
    show: (flow, version) => show(deps, flow, version),
    async check(documents) {
      const read = readDocuments(documents);
      return judge(deps, read);
    },
    async draft(documents, doing) {
      const read = readDocuments(documents);
      const judged = await judge(deps, read);
      demandNone(judged.flatMap(({ faults }) => faults));
      return change(async (tx, now) => {
        const saved: { flow: string; version: number }[] = [];
        for (const { raw, resolved } of read) {
          const document = { raw, resolved: resolved as unknown as FlowDocument };
          const version = await publishing.saveDraft(deps, tx, { document, ...doing }, now);
          saved.push({ flow: document.resolved.id, version });
        }
        return saved;
      });
    },
    async publish(publication) {
      await demandFit(deps, publication.flow, publication.version);
      return change((tx, now) => publishing.publish(deps, tx, publication, now));
    },
    async rollBack(rollback) {
      const goal = await publishing.wayBack(storage.db, await demandFlow(deps, rollback.flow), rollback);
      await demandFit(deps, rollback.flow, goal.version);
      return change((tx, now) => publishing.rollBack(deps, tx, rollback, now));
    },
    async archive(doing) {
      await demandFlow(deps, doing.flow);
      await change((tx, now) => publishing.archive(deps, tx, doing, now));
    },
    simulate: (request) => simulateLogin({ ...deps, db: storage.db }, request),
    figures: (flow, asked) => figures(deps, flow, asked),
  };
}

async function list({ apps, ownPages, storage: { db } }: FlowDeskDeps): Promise<FlowSummary[]> {
  const [flows, versions, users, own] = await Promise.all([
    store.listFlows(db),
    store.listVersions(db),
    apps.list(db),
    ownPages(),
  ]);
  const asking = [...users, ...own.apps];
  return [
    ...flows.map((flow) => summaryOf(flow, versions, asking)),
    ...own.flows.map((flow) => summaryOfOwn(flow, asking)),
  ];
}

type Asking = readonly { id: string; flow: string }[];

const askingFor = (flowId: string, users: Asking): string[] =>
  users.filter(({ flow }) => flow === flowId).map(({ id }) => id);

function summaryOf(flow: store.FlowRow, versions: store.VersionRow[], users: Asking): FlowSummary {
  const numberOf = (id: string | null) => versions.find((one) => one.id === id)?.version ?? null;
  const trial = numberOf(flow.canary_version_id);
  const draft = versions.find((one) => one.flow_id === flow.id && one.status === 'draft');
  return {
    ...{ id: flow.id, name: flow.name, builtIn: null, published: numberOf(flow.published_version_id) },
    trial: trial === null ? null : { version: trial, share: percentOf(flow) ?? 0 },
    draft: draft?.version ?? null,
    apps: askingFor(flow.id, users),
  };
}

const summaryOfOwn = ({ about, document: { id, name } }: BuiltInFlow, users: Asking): FlowSummary => ({
  ...{ id, name, builtIn: about, published: null, trial: null, draft: null },
  apps: askingFor(id, users),
});

const percentOf = ({ canary_share: share }: store.FlowRow): number | null =>
  share === null ? null : share / 100;

async function show(deps: FlowDeskDeps, flowId: string, asked: number | null): Promise<FlowShown> {
  const {
    apps,
    clock,
    ownPages,
    storage: { db },
  } = deps;
  const own = await ownPages();
  const builtIn = own.flows.find(({ document }) => document.id === flowId);
  if (builtIn) {
    if (asked !== null) throw unchangeable(builtIn.document.id, builtIn.about);
    const { document } = builtIn;
    return { ...summaryOfOwn(builtIn, own.apps), version: 0, document: { ...document }, versions: [] };
  }
  const flow = await demandFlow(deps, flowId);
  const [versions, running, users] = await Promise.all([
    store.listVersions(db, flowId),
    store.countRunning(db, flowId, clock.now()),
    apps.list(db),
  ]);
  const summary = summaryOf(flow, versions, [...users, ...own.apps]);
  const version = asked ?? summary.published ?? summary.draft ?? 0;
  const { document } = await publishing.numbered(db, flowId, version);
  return {
    ...{ ...summary, version, document: document.raw },
    versions: versions.map((one) => ({ ...versionOf(flow, one), running: running.get(one.id) ?? 0 })),
  };
}

function versionOf(flow: store.FlowRow, row: store.VersionRow): VersionSummary {
  const isTrial = row.id === flow.canary_version_id;
  return {
    ...{ version: row.version, status: isTrial ? 'trial' : row.status },
    ...{ share: isTrial ? percentOf(flow) : null, note: row.note },
    ...{ createdBy: row.created_by, createdAt: row.created_at.toISOString() },
    ...{ publishedBy: row.published_by, publishedAt: row.published_at?.toISOString() ?? null },
  };
}

/** Throws Problem 404, and 409 for one that is built in. */
async function demandFlow({ ownPages, storage }: FlowDeskDeps, flowId: string): Promise<store.FlowRow> {
  const builtIn = await findBuiltIn(ownPages, flowId);
  if (builtIn) throw unchangeable(builtIn.document.id, builtIn.about);
  const flow = await store.findFlow(storage.db, flowId);
  if (flow) return flow;
  throw publishing.unknownFlow(flowId);
}

/** What was right when it was saved may not be any more: a provider has gone, or an attribute. */
async function demandFit(deps: FlowDeskDeps, flow: string, version: number): Promise<void> {
  await demandFlow(deps, flow);
  const { document } = await publishing.numbered(deps.storage.db, flow, version);
  const { raw, resolved } = document;
  const loaded = { raw, resolved: resolved as unknown as Record<string, unknown> };
  demandNone(await unfit(deps, flow, loaded, flow));
}

async function figures(
  deps: FlowDeskDeps,
  flow: string,
  { version, sinceMs }: { version: number | null; sinceMs: number },
): Promise<FlowFigures> {
  const { db } = deps.storage;
  const now = deps.clock.now();
  const order = await orderOf(deps, flow, version);
  // Nothing was recorded before, and databases know no earlier year.
  const from = new Date(Math.max(0, now.getTime() - sinceMs));
  return readFigures(db, { flow, version, from, to: now }, order, now);
}

/** Ids of the steps, as they come one after the other. */
async function orderOf(deps: FlowDeskDeps, flow: string, version: number | null): Promise<string[]> {
  const { db } = deps.storage;
  const builtIn = version === null ? await findBuiltIn(deps.ownPages, flow) : undefined;
  if (builtIn) return builtIn.document.steps.map(({ id }) => id);
  const { published_version_id: published } = await demandFlow(deps, flow);
  const row =
    version !== null
      ? await publishing.numbered(db, flow, version)
      : published === null
        ? undefined
        : await store.findVersion(db, published);
  return row?.document.resolved.steps.map(({ id }) => id) ?? [];
}
