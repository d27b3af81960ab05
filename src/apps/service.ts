import { createValidator } from '../config/index.ts';
import type { Loaded } from '../config/types.ts';
import { Problem } from '../lib/problem.ts';
import type { Revisions, Tx } from '../storage/types.ts';
import { type CheckDeps, faultsOfApp } from './checks.ts';
import { type AppDocument, appSchema, inForce, laterMembers } from './document.ts';
import { hashesOf, liveHashes, withoutSecrets } from './secrets.ts';
import { type AppRow, deleteApp, findApp, listApps, upsertApp } from './store.ts';
import type { App, Apps } from './types.ts';

const topic = 'apps';
const cacheSize = 1000;

export interface AppsDeps extends CheckDeps {
  revisions: Pick<Revisions, 'bump' | 'current'>;
  /** The gateway's own pages as apps; they have no rows. Default: none. */
  builtIn?(id: string): App | undefined;
}

const validate = createValidator(appSchema);

export function createApps(deps: AppsDeps): Apps {
  const { revisions } = deps;
  const toApp = (row: AppRow): App => ({
    ...laterMembers,
    ...row.document.inForce,
    secretHashes: liveHashes(row.secrets, deps.demo),
  });
  const cache = createCache(() => revisions.current(topic));

  async function changed(tx: Tx, id: string): Promise<void> {
    cache.forget(id);
    await revisions.bump(tx, topic);
  }

  return {
    find: async (db, id) =>
      deps.builtIn?.(id) ??
      cache.find(id, async () => {
        const row = await findApp(db, id);
        return row && toApp(row);
      }),
    list: async (db) => (await listApps(db)).map(toApp),
    async save(tx, document, now) {
      const item = checked(document, deps);
      await saveApp(tx, item, now);
      await changed(tx, String(item.resolved.id));
    },
    async remove(tx, id) {
      await deleteApp(tx, id);
      await changed(tx, id);
    },
  };
}

/** Apps as they were at a revision; a new revision empties it. */
function createCache(currentRevision: () => number) {
  const apps = new Map<string, App>();
  let cachedRevision = -1;

  return {
    forget: (id: string) => void apps.delete(id),
    async find(id: string, read: () => Promise<App | undefined>): Promise<App | undefined> {
      const revision = currentRevision();
      if (revision !== cachedRevision) apps.clear();
      cachedRevision = revision;
      const cached = apps.get(id);
      if (cached) return cached;
      const app = await read();
      // What changed while it was read may be older than the revision: kept, it would stay for ever.
      if (app === undefined || revision !== currentRevision()) return app;
      if (apps.size >= cacheSize) apps.delete(apps.keys().next().value ?? '');
      apps.set(id, app);
      return app;
    },
  };
}

/** Whole, with defaults, and without fault; throws Problem 400 otherwise. References in it are not resolved. */
function checked(document: unknown, deps: CheckDeps): Loaded {
  const { value, faults } = validate(document);
  const errors = faults.length > 0 ? faults : faultsOfApp(value as AppDocument, deps);
  if (errors.length > 0) {
    throw new Problem({
      status: 400,
      code: 'invalid_app',
      message: 'The app cannot be saved like this.',
      errors,
    });
  }
  return { raw: document as Record<string, unknown>, resolved: value as Record<string, unknown> };
}

/** Creates or replaces an app that has passed every check. */
export async function saveApp(tx: Tx, item: Loaded, now: Date): Promise<void> {
  const document = item.resolved as AppDocument;
  const present = await findApp(tx, document.id);
  await upsertApp(tx, rowOf(item, present?.secrets ?? []), now);
}

/** What is stored for a document. @param present hashes that the database has for it. */
export function rowOf(item: Loaded, present: string[]): AppRow {
  const document = item.resolved as AppDocument;
  return {
    id: document.id,
    document: { written: withoutSecrets(item.raw), inForce: inForce(document) },
    secrets: hashesOf(document, present),
  };
}
