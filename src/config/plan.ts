import { isDeepStrictEqual } from 'node:util';
import type { Db } from '../storage/types.ts';
import { joinPath } from './references.ts';
import { readSettings, type StoredSetting } from './store.ts';
import type {
  Change,
  CollectionItem,
  CollectionSection,
  ConfigSection,
  Documents,
  SettingDocument,
} from './types.ts';

/** A change with what is needed to make it. */
export type Step =
  | { change: Change; kind: 'setting'; document: SettingDocument | null }
  | { change: Change; kind: 'item'; section: CollectionSection; item: CollectionItem; position: number }
  | { change: Change; kind: 'removal'; section: CollectionSection };

/** What the database holds, by member, as it would stand in the files. */
export interface StoredDocuments {
  settings: Map<string, StoredSetting>;
  collections: Map<string, Map<string, Record<string, unknown>>>;
}

export async function readStored(db: Db, sections: readonly ConfigSection[]): Promise<StoredDocuments> {
  const collections = new Map<string, Map<string, Record<string, unknown>>>();
  for (const section of sections) {
    if (section.kind === 'collection' && !section.createOnly)
      collections.set(section.member, await section.list(db));
  }
  return { settings: await readSettings(db, sections), collections };
}

/** The steps from the database to the files, in the order in which they can be taken: removals last, backwards. */
export async function plan(
  db: Db,
  sections: readonly ConfigSection[],
  documents: Documents,
  stored: StoredDocuments,
): Promise<Step[]> {
  const steps: Step[] = [];
  const removals: Step[] = [];
  for (const section of sections) {
    if (section.kind === 'setting') steps.push(...settingSteps(section.member, documents, stored));
    const items = documents.collections[section.member];
    if (section.kind === 'setting' || items === undefined) continue;
    const present = stored.collections.get(section.member) ?? new Map<string, Record<string, unknown>>();
    steps.push(...(await itemSteps(db, section, items, present)));
    removals.unshift(...removalSteps(section, items, present));
  }
  return [...steps, ...removals];
}

function settingSteps(member: string, documents: Documents, stored: StoredDocuments): Step[] {
  const document = documents.settings[member];
  const present = stored.settings.get(member);
  const change = (action: Change['action'], paths: string[]): Change => ({
    member: 'gateway',
    id: member,
    action,
    paths,
  });
  if (document === undefined) {
    const isLeft = documents.gateway !== undefined && present !== undefined;
    return isLeft ? [{ change: change('delete', []), kind: 'setting', document: null }] : [];
  }
  if (present === undefined) return [{ change: change('create', []), kind: 'setting', document }];
  const { raw, resolved } = document;
  if (isDeepStrictEqual(present, { raw, resolved })) return [];
  return [{ change: change('update', differences(present.raw, raw)), kind: 'setting', document }];
}

async function itemSteps(
  db: Db,
  section: CollectionSection,
  items: CollectionItem[],
  present: Map<string, Record<string, unknown>>,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (const [position, item] of items.entries()) {
    if (await section.same(db, item, position)) continue;
    const old = present.get(item.id);
    const paths = old === undefined ? [] : differences(old, item.raw);
    const change: Change = { member: section.member, id: item.id, action: old ? 'update' : 'create', paths };
    steps.push({ change, kind: 'item', section, item, position });
  }
  return steps;
}

function removalSteps(
  section: CollectionSection,
  items: CollectionItem[],
  present: Map<string, Record<string, unknown>>,
): Step[] {
  const wanted = new Set(items.map((item) => item.id));
  return [...present.keys()]
    .filter((id) => !wanted.has(id))
    .map((id) => ({
      change: { member: section.member, id, action: 'delete', paths: [] },
      kind: 'removal',
      section,
    }));
}

/** Paths at which two documents differ. Only the paths, because a value may be a secret. */
export function differences(from: unknown, to: unknown, path = ''): string[] {
  if (isDeepStrictEqual(from, to)) return [];
  if (Array.isArray(from) && Array.isArray(to)) {
    const longest = from.length > to.length ? from : to;
    return longest.flatMap((_, index) => differences(from[index], to[index], joinPath(path, index)));
  }
  if (!isObject(from) || !isObject(to)) return [path];
  const members = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...members].flatMap((member) => differences(from[member], to[member], joinPath(path, member)));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
