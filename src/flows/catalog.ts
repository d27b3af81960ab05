import { Problem } from '../lib/problem.ts';
import type { Db, Revisions } from '../storage/types.ts';
import { readFlow } from './documents/schema.ts';
import { findPublished, findVersion } from './store.ts';
import type { Flow } from './types.ts';

/** Versions kept in memory; they never change. */
const maxVersions = 500;

export interface FlowCatalog {
  /** The version that a login which starts now takes. Normally no query. Throws Problem 500 when there is none. */
  published(db: Db, flowId: string): Promise<Flow>;
  /** The version that a running login is on; nothing once its flow was removed. */
  version(db: Db, versionId: string): Promise<Flow | undefined>;
}

/** Flows, from a cache that the `flows` revision empties. */
export function createFlowCatalog(revisions: Revisions): FlowCatalog {
  const versions = new Map<string, Flow>();
  let published = new Map<string, Flow>();
  let seen = revisions.current('flows');

  const keep = (flow: Flow): Flow => {
    if (versions.size >= maxVersions) versions.delete(versions.keys().next().value ?? '');
    versions.set(flow.versionId, flow);
    return flow;
  };

  return {
    async published(db, flowId) {
      const revision = revisions.current('flows');
      if (revision !== seen) {
        published = new Map();
        seen = revision;
      }
      const cache = published;
      const known = cache.get(flowId);
      if (known) return known;
      const row = await findPublished(db, flowId);
      if (!row) {
        throw new Problem({
          ...{
            status: 500,
            code: 'flow_missing',
            message: 'The application names a flow that does not exist.',
          },
          cause: new Error(`no flow ${flowId}`),
        });
      }
      const flow = keep(readFlow(row.document.resolved, row.id));
      // What was read while another version was published belongs to the map of that time.
      cache.set(flowId, flow);
      return flow;
    },

    async version(db, versionId) {
      const known = versions.get(versionId);
      if (known) return known;
      const row = await findVersion(db, versionId);
      return row && keep(readFlow(row.document.resolved, row.id));
    },
  };
}
