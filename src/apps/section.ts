import { isDeepStrictEqual } from 'node:util';
import type { Candidate, CollectionSection, Loaded } from '../config/types.ts';
import { Problem } from '../lib/problem.ts';
import type { Db } from '../storage/types.ts';
import { type CheckDeps, faultsOfApp } from './checks.ts';
import { type AppDocument, appSchema } from './document.ts';
import { faultsOfLimits, type SessionLimits } from './limits.ts';
import { rowOf, saveApp } from './service.ts';
import { deleteApp, findApp, listApps } from './store.ts';

/** `apps.yaml`. */
export function appsSection(deps: CheckDeps): CollectionSection {
  return {
    kind: 'collection',
    member: 'apps',
    schema: appSchema,
    idOf: (item) => String(item.id),
    check: (item, candidate) => check(item.resolved as AppDocument, candidate, deps),
    list: async (db) => new Map((await listApps(db)).map((row) => [row.id, row.document.written])),
    same,
    save: (tx, item, _position, now) => saveApp(tx, item, now),
    remove: deleteApp,
  };
}

function check(app: AppDocument, candidate: Candidate, deps: CheckDeps) {
  const faults = faultsOfApp(app, deps);
  const flows = candidate.collection('flows');
  if (app.flow !== undefined && !flows.has(app.flow)) {
    const known = [...flows.keys()].join(', ');
    const message = `names no flow: '${app.flow}'${known === '' ? ' (there is none)' : `; there are ${known}`}`;
    faults.push({ path: 'flow', message });
  }
  if (app.sessions !== undefined) {
    const general = candidate.setting('sessions') as Required<SessionLimits>;
    for (const { path, message } of faultsOfLimits(app.sessions, general)) {
      faults.push({ path: `sessions.${path}`, message });
    }
  }
  const apps = candidate.collection('apps');
  for (const [index, { client }] of app.resources.entries()) {
    if (client === undefined || apps.has(client)) continue;
    faults.push({ path: `resources[${index}].client`, message: `names no app: '${client}'` });
  }
  return faults;
}

async function same(db: Db, item: Loaded): Promise<boolean> {
  const present = await findApp(db, String(item.resolved.id));
  if (present === undefined) return false;
  try {
    return isDeepStrictEqual(present, rowOf(item, present.secrets));
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}
