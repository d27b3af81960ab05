import type { Fault } from '../lib/problem.ts';
import { createReader } from './documents.ts';
import type { StoredDocuments } from './plan.ts';
import { joinPath, stored as placeholder } from './references.ts';
import type { Candidate, ConfigSection, Documents, References } from './types.ts';
import { below, candidateOf, nothingStored } from './validation/candidate.ts';

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
  }
  if (stored === nothingStored) return faults;
  const nothing: Documents = { collections: {}, settings: {} };
  const before = candidateOf(sections, nothing, stored, { ...options, prune: false });
  return [...faults, ...checkKept(sections, documents, before, candidate)];
}

/** What an export has left out, in a document that the database does not have: a database of its own, for instance. */
function placeholdersIn(value: unknown, path: string): Fault[] {
  if (typeof value === 'string' && value.includes(placeholder))
    return [{ path, message: `says ${placeholder}, and nothing is stored: write the secret itself` }];
  if (Array.isArray(value)) return value.flatMap((one, index) => placeholdersIn(one, joinPath(path, index)));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, one]) => placeholdersIn(one, joinPath(path, name)));
}

/**
 * What the documents say may take away what others, that only the database holds, stand on: the provider of a flow's codes,
 * the second factor of the flow that a setting names. Told is what was right before.
 */
function checkKept(
  sections: readonly ConfigSection[],
  documents: Documents,
  before: Candidate,
  candidate: Candidate,
): Fault[] {
  return sections.flatMap((section) => {
    const { member } = section;
    if (section.kind === 'setting') {
      if (member in documents.settings) return [];
      const judge = (what: Candidate) => section.check?.(what.setting(member), what) ?? [];
      return below(`database: ${member}`, newOf(judge(before), judge(candidate)));
    }
    const given = new Set((documents.collections[member] ?? []).map(({ id }) => id));
    const kept = [...candidate.collection(member)].filter(([id]) => !given.has(id));
    return kept.flatMap(([id, item]) => {
      const judge = (what: Candidate) => section.check?.(item, what) ?? [];
      return below(`database: ${member} '${id}'`, newOf(judge(before), judge(candidate)));
    });
  });
}

const newOf = (before: Fault[], after: Fault[]): Fault[] =>
  after.filter(({ path, message }) => !before.some((one) => one.path === path && one.message === message));

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
