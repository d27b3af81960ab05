import type { Fault } from '../../lib/problem.ts';
import type { StoredDocuments } from '../plan.ts';
import { withDefaults } from '../settings.ts';
import type { Candidate, ConfigSection, Documents, Loaded, References } from '../types.ts';
import { createValidator } from './validator.ts';

export const nothingStored: StoredDocuments = { settings: new Map(), collections: new Map() };

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

/** What may be said and is probably not meant, in the light of everything else. */
export const doubtsOf = (
  sections: readonly ConfigSection[],
  documents: Documents,
  candidate: Candidate,
): Fault[] =>
  sections.flatMap((section) =>
    section.kind === 'setting'
      ? []
      : (documents.collections[section.member] ?? [])
          .filter(({ valid }) => valid)
          .flatMap((item) => below(item.path, section.doubts?.(item, candidate) ?? [])),
  );

/** Puts the paths of a document's own faults behind the place of the document. */
export const below = (place: string, faults: Fault[]): Fault[] =>
  faults.map(({ path, message }) => ({
    path: path === '' ? place : path.startsWith('[') ? `${place}${path}` : `${place}.${path}`,
    message,
  }));
