import type { Fault } from '../lib/problem.ts';
import { type ConfigFile, readFolder } from './folder.ts';
import { joinPath } from './references.ts';
import type {
  CollectionItem,
  CollectionSection,
  ConfigSection,
  Documents,
  FolderReading,
  References,
  SettingDocument,
  SettingSection,
} from './types.ts';
import { candidateOf, doubtsOf, nothingStored } from './validation/candidate.ts';
import { fileOf, fileSchemas } from './validation/schema.ts';
import { createValidator, type Validator } from './validation/validator.ts';

/** A file, its references resolved, checked against its schema. */
interface CheckedFile {
  file: string;
  name: string;
  raw: Record<string, unknown>;
  resolved: Record<string, unknown>;
  /** Paths of what is wrong in it, relative to the file. */
  faulty: string[];
}

/** What was found on the way. */
type Found = Omit<FolderReading, 'documents'>;

export interface Reader {
  /** Everything that the folder says, with every fault that shows without looking at other documents. */
  read(folder: string): FolderReading;
}

export function createReader(deps: { sections: readonly ConfigSection[]; references: References }): Reader {
  const { sections, references } = deps;
  const schemas = fileSchemas(sections);
  const validators = new Map([...schemas].map(([name, schema]) => [name, createValidator(schema)]));
  const homes = new Map(sections.map((section) => [section.member, `${fileOf(section)}.yaml`]));

  function checkFile(entry: ConfigFile, found: Found): CheckedFile | null {
    const raw = adopted(entry, sections, found);
    const { value, faults: unresolved } = references.resolve(raw);
    const validated = (validators.get(entry.name) as Validator)(value, raw);
    const faults = [...unresolved, ...validated.faults.map((fault) => misplaced(fault, entry.name, homes))];
    found.faults.push(...faults.map((fault) => placed(entry.file, '', fault)));
    if (!isRecord(raw) || !isRecord(validated.value)) return null;
    const faulty = faults.map((fault) => fault.path);
    return { file: entry.file, name: entry.name, raw, resolved: validated.value, faulty };
  }

  return {
    read(folder) {
      const { files, faults } = readFolder(folder, [...schemas.keys()]);
      const found: Found = { faults, advice: [] };
      const documents: Documents = { collections: {}, settings: {} };
      for (const entry of files) {
        const checked = checkFile(entry, found);
        if (checked === null) continue;
        for (const section of sections.filter((section) => fileOf(section) === entry.name)) {
          if (section.kind === 'setting') addSetting(documents, section, checked);
          else addCollection(documents, section, checked, found);
        }
      }
      const candidate = candidateOf(sections, documents, nothingStored, { prune: false, references });
      found.advice.push(...doubtsOf(sections, documents, candidate));
      return { documents, ...found };
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const place = (file: string, path: string): string => (path === '' ? file : `${file}: ${path}`);

/** A fault below a member of a file. */
function placed(file: string, member: string, { path, message }: Fault): Fault {
  const whole = member === '' || path === '' ? member || path : `${member}.${path}`;
  return { path: place(file, whole), message };
}

/** What a file says, documents of other programs turned into ours. */
function adopted(entry: ConfigFile, sections: readonly ConfigSection[], found: Found): unknown {
  const raw = entry.raw ?? {};
  const section = sections.find((section) => section.member === entry.name);
  if (section?.kind !== 'collection' || section.adopt === undefined || !isRecord(raw)) return raw;
  const items = raw[section.member];
  if (!Array.isArray(items)) return raw;
  const mended = items.map((item: unknown, index) => {
    const taken = isRecord(item) ? section.adopt?.(item) : null;
    if (!taken) return item;
    const path = joinPath(section.member, index);
    found.faults.push(...taken.faults.map((fault) => placed(entry.file, path, fault)));
    found.advice.push(...taken.advice.map((fault) => placed(entry.file, path, fault)));
    return taken.document;
  });
  return { ...raw, [section.member]: mended };
}

/** A member that is right in another file is told so. */
function misplaced(fault: Fault, name: string, homes: Map<string, string>): Fault {
  const home = homes.get(fault.path);
  if (home === undefined || home === `${name}.yaml` || !fault.message.startsWith('is unknown')) return fault;
  return { path: fault.path, message: `belongs in ${home}` };
}

const isFaulty = (checked: CheckedFile, path: string): boolean =>
  checked.faulty.some(
    (fault) => fault === path || fault.startsWith(`${path}.`) || fault.startsWith(`${path}[`),
  );

/** A file that exists says something about all its settings: the ones it leaves out have their defaults. */
function addSetting(documents: Documents, section: SettingSection, checked: CheckedFile): void {
  documents.gateway = checked.file;
  if (!(section.member in checked.raw)) return;
  const setting: SettingDocument = {
    path: place(checked.file, section.member),
    valid: !isFaulty(checked, section.member),
    raw: checked.raw[section.member],
    resolved: checked.resolved[section.member],
  };
  documents.settings[section.member] = setting;
}

function addCollection(
  documents: Documents,
  section: CollectionSection,
  checked: CheckedFile,
  found: Found,
): void {
  const items: CollectionItem[] = [];
  const resolved = checked.resolved[section.member];
  const raw = checked.raw[section.member];
  // An empty file says nothing; only a list that is written out, though it be empty, may prune what it leaves out.
  if (raw === undefined) return;
  for (const [index, value] of (Array.isArray(resolved) ? resolved : []).entries()) {
    if (!isRecord(value)) continue;
    const path = joinPath(section.member, index);
    const id = section.idOf(value);
    const earlier = items.findIndex((item) => item.id === id);
    if (earlier !== -1) {
      const message = `has the same name as ${joinPath(section.member, earlier)}: '${id}'`;
      found.faults.push({ path: place(checked.file, path), message });
      continue;
    }
    const written = (raw as unknown[])[index] as Record<string, unknown>;
    const item: CollectionItem = {
      ...{ id, path: place(checked.file, path), valid: !isFaulty(checked, path) },
      ...{ raw: written, resolved: value },
    };
    items.push(item);
  }
  const valid = items.filter((item) => item.valid);
  for (const item of valid)
    for (const { path, message } of section.advise?.(item, valid) ?? [])
      found.advice.push({ path: path === '' ? item.path : `${item.path}.${path}`, message });
  documents.collections[section.member] = items;
}
