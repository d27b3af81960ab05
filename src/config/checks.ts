import type { Fault } from '../lib/problem.ts';
import { createReader } from './documents.ts';
import type { StoredDocuments } from './plan.ts';
import { joinPath, stored as placeholder } from './references.ts';
import { withDefaults } from './settings.ts';
import type { Candidate, CollectionSection, ConfigSection, Documents, Loaded, References } from './types.ts';
import { createValidator } from './validation/validator.ts';

const nothingStored: StoredDocuments = { settings: new Map(), collections: new Map() };

/**
 * What would be in force after the files are applied: theirs, and what only the database holds where it is kept.
 * A file that exists speaks for its whole collection when it is pruned.
 */
export function candidateOf(
  sections: readonly ConfigSection[],
  documents: Documents,
  stored: StoredDocuments,
  options: { prune: boolean; references: References },
): Candidate {
  const collections = new Map<string, Map<string, Loaded>>();
  for (const section of sections) {
    if (section.kind !== 'collection') continue;
    const { member } = section;
    const items = documents.collections[member];
    const merged = new Map<string, Loaded>();
    if (items === undefined || !options.prune) {
      const whole = createValidator(section.schema);
      for (const [id, raw] of stored.collections.get(member) ?? []) {
        const { value } = whole(options.references.resolve(raw).value, raw);
        merged.set(id, { raw, resolved: value as Record<string, unknown> });
      }
    }
    for (const item of items ?? []) merged.set(item.id, item);
    collections.set(member, merged);
  }
  const given = new Map([...stored.settings].map(([member, setting]) => [member, setting.resolved]));
  if (options.prune && documents.gateway !== undefined) given.clear();
  for (const [member, setting] of Object.entries(documents.settings)) {
    if (setting.valid) given.set(member, setting.resolved);
  }
  const settings = withDefaults(sections, given);
  return {
    collection: (member) => collections.get(member) ?? new Map<string, Loaded>(),
    setting: (member) => settings.get(member),
  };
}

/** Every fault that the sections find, beyond the schema, in what the files say. */
export function checkDocuments(
  sections: readonly ConfigSection[],
  documents: Documents,
  stored: StoredDocuments,
  options: { prune: boolean; references: References },
): Fault[] {
  const candidate = candidateOf(sections, documents, stored, options);
  const faults: Fault[] = [];
  for (const section of sections) {
    if (section.kind === 'setting') {
      const setting = documents.settings[section.member];
      if (!setting?.valid) continue;
      faults.push(...below(setting.path, section.check?.(setting.resolved, candidate) ?? []));
      continue;
    }
    for (const item of documents.collections[section.member] ?? []) {
      const isNew = stored !== nothingStored && !stored.collections.get(section.member)?.has(item.id);
      if (isNew) faults.push(...below(item.path, placeholdersIn(item.raw, '')));
      if (item.valid) faults.push(...below(item.path, section.check?.(item, candidate) ?? []));
    }
    if (options.prune) faults.push(...checkKept(section, documents, candidate));
  }
  return faults;
}

/** What an export has left out, in a document that the database does not have: a database of its own, for instance. */
function placeholdersIn(value: unknown, path: string): Fault[] {
  if (typeof value === 'string' && value.includes(placeholder))
    return [{ path, message: `says ${placeholder}, and nothing is stored: write the secret itself` }];
  if (Array.isArray(value)) return value.flatMap((one, index) => placeholdersIn(one, joinPath(path, index)));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, one]) => placeholdersIn(one, joinPath(path, name)));
}

/** Pruning one file may take away what a document of another, that only the database holds, stands on. */
function checkKept(section: CollectionSection, documents: Documents, candidate: Candidate): Fault[] {
  if (documents.collections[section.member] !== undefined) return [];
  return [...candidate.collection(section.member)].flatMap(([id, item]) =>
    below(`database: ${section.member} '${id}'`, section.check?.(item, candidate) ?? []),
  );
}

/** Puts the paths of a document's own faults behind the place of the document. */
export const below = (place: string, faults: Fault[]): Fault[] =>
  faults.map(({ path, message }) => ({
    path: path === '' ? place : path.startsWith('[') ? `${place}${path}` : `${place}.${path}`,
    message,
  }));

/**
 * Every fault of a folder as if it were applied to an empty database: without one, and without a server. The files
 * must be complete among themselves.
 */
export function validateFolder(
  deps: { sections: readonly ConfigSection[]; references: References },
  folder: string,
): { faults: Fault[]; advice: Fault[] } {
  const { documents, faults, advice } = createReader(deps).read(folder);
  const options = { prune: false, references: deps.references };
  return {
    faults: [...faults, ...checkDocuments(deps.sections, documents, nothingStored, options)],
    advice,
  };
}
