import { createValidator } from '../config/index.ts';
import type { Loaded } from '../config/types.ts';
import { Problem } from '../lib/problem.ts';
import type { Db, Revisions, Tx } from '../storage/types.ts';
import { type CheckDeps, faultsOfApp } from './checks.ts';
import { type AppDocument, appSchema, inForce } from './document.ts';
import { hashesOf, liveHashes, withoutSecrets } from './secrets.ts';
import { type AppRow, deleteApp, findApp, listApps, upsertApp } from './store.ts';
import type { App, Apps } from './types.ts';

const topic = 'apps';
const cacheSize = 1000;

export interface AppsDeps extends CheckDeps {
  revisions: Pick<Revisions, 'bump' | 'current'>;
}

const validate = createValidator(appSchema);

export function createApps(deps: AppsDeps): Apps {
  const { revisions } = deps;
  const cache = new Map<string, App>();
  let cachedRevision = -1;

  const toApp = (row: AppRow): App => ({
    ...row.document.inForce,
    secretHashes: liveHashes(row.secrets, deps.demo),
  });

  /** Keeps an app only when nothing changed while it was read, or an old one would stay for ever. */
  function remember(app: App, revision: number): void {
    if (revision !== revisions.current(topic)) return;
    if (cache.size >= cacheSize) cache.delete(cache.keys().next().value ?? '');
    cache.set(app.id, app);
  }

  async function find(db: Db, id: string): Promise<App | undefined> {
    const revision = revisions.current(topic);
    if (revision !== cachedRevision) cache.clear();
    cachedRevision = revision;
    const cached = cache.get(id);
    if (cached) return cached;
    const row = await findApp(db, id);
    if (row === undefined) return undefined;
    const app = toApp(row);
    remember(app, revision);
    return app;
  }

  async function save(tx: Tx, document: unknown, now: Date): Promise<void> {
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
    const written = document as Record<string, unknown>;
    await saveApp(tx, { raw: written, resolved: value as Record<string, unknown> }, now);
    await changed(tx, String(written.id));
  }

  async function changed(tx: Tx, id: string): Promise<void> {
    cache.delete(id);
    await revisions.bump(tx, topic);
  }

  return {
    find,
    list: async (db) => (await listApps(db)).map(toApp),
    save,
    async remove(tx, id) {
      await deleteApp(tx, id);
      await changed(tx, id);
    },
  };
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
