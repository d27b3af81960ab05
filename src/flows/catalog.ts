import { Problem } from '../lib/problem.ts';
import type { Db, Revisions } from '../storage/types.ts';
import { type FlowDocument, readFlow } from './documents/schema.ts';
import type { Browser, Flow } from './types.ts';
import { isChosen } from './versions/canary.ts';
import { findCurrent, findVersion, type StoredFlow } from './versions/store.ts';

/** Versions kept in memory; they never change. */
const maxVersions = 500;

export interface FlowCatalog {
  /**
   * The version that a login takes which this browser starts now; without a browser, the one for all. Normally no
   * query. Throws Problem 500 when there is none.
   */
  current(db: Db, flowId: string, browser: Browser | null): Promise<Flow>;
  /** Every version that a login may take which is started now. */
  taken(db: Db, flowId: string): Promise<Flow[]>;
  /** The version that a running login is on; nothing once its flow was removed. */
  version(db: Db, versionId: string): Promise<Flow | undefined>;
}

/** Flows of the gateway's own pages, by ids that no file can give a flow. They have no versions and no rows. */
export type BuiltInFlows = (id: string) => FlowDocument | undefined;

/** What new logins take. */
interface Current {
  published: Flow;
  canary: { flow: Flow; share: number } | null;
}

type Row = { id: string; version: number; document: StoredFlow };

/** Reads the document of a version at most once, while it is kept. */
function createVersions() {
  const versions = new Map<string, Flow>();
  return {
    known: (id: string): Flow | undefined => versions.get(id),
    keep({ id, version, document }: Row): Flow {
      const known = versions.get(id);
      if (known) return known;
      const flow = readFlow(document.resolved, id, version);
      if (versions.size >= maxVersions) versions.delete(versions.keys().next().value ?? '');
      versions.set(id, flow);
      return flow;
    },
  };
}

async function readCurrent(db: Db, flowId: string, keep: (row: Row) => Flow): Promise<Current> {
  const row = await findCurrent(db, flowId);
  if (!row) {
    throw new Problem({
      ...{ status: 500, code: 'flow_missing', message: 'The application names a flow that does not exist.' },
      cause: new Error(`no flow ${flowId}`),
    });
  }
  const { canaryId: id, canaryVersion: version, canaryDocument: document, share } = row;
  const tried = id !== null && version !== null && document !== null && share !== null;
  return {
    published: keep(row),
    canary: tried ? { flow: keep({ id, version, document }), share } : null,
  };
}

/** Flows, from a cache that the `flows` revision empties. */
export function createFlowCatalog(
  revisions: Revisions,
  builtIn: BuiltInFlows = () => undefined,
): FlowCatalog {
  const versions = createVersions();
  const own = (id: string): Flow | undefined => {
    const document = builtIn(id);
    return document && readFlow(document, id);
  };
  let current = new Map<string, Current>();
  let seen = revisions.current('flows');

  async function find(db: Db, flowId: string): Promise<Current> {
    const ours = own(flowId);
    if (ours) return { published: ours, canary: null };
    const revision = revisions.current('flows');
    if (revision !== seen) {
      current = new Map();
      seen = revision;
    }
    const cache = current;
    const known = cache.get(flowId) ?? (await readCurrent(db, flowId, versions.keep));
    // What was read while another version was published belongs to the map of that time.
    cache.set(flowId, known);
    return known;
  }

  return {
    async current(db, flowId, browser) {
      const { published, canary } = await find(db, flowId);
      return canary && browser && isChosen(canary.flow.versionId, canary.share, browser)
        ? canary.flow
        : published;
    },

    async taken(db, flowId) {
      const { published, canary } = await find(db, flowId);
      return canary ? [published, canary.flow] : [published];
    },

    async version(db, versionId) {
      const known = own(versionId) ?? versions.known(versionId);
      if (known) return known;
      const row = await findVersion(db, versionId);
      return row && versions.keep(row);
    },
  };
}
