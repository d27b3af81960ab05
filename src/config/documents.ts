import type { Fault } from '../lib/problem.ts';
import { readFolder } from './folder.ts';
import { joinPath } from './references.ts';
import type {
  CollectionItem,
  CollectionSection,
  ConfigSection,
  Documents,
  References,
  SettingDocument,
  SettingSection,
} from './types.ts';
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

export interface Reader {
  /** Everything that the folder says, with every fault that shows without looking at other documents. */
  read(folder: string): { documents: Documents; faults: Fault[] };
}

export function createReader(deps: { sections: readonly ConfigSection[]; references: References }): Reader {
  const { sections, references } = deps;
  const schemas = fileSchemas(sections);
  const validators = new Map([...schemas].map(([name, schema]) => [name, createValidator(schema)]));
  const homes = new Map(sections.map((section) => [section.member, `${fileOf(section)}.yaml`]));

  function checkFile(
    entry: { file: string; name: string; raw: unknown },
    faults: Fault[],
  ): CheckedFile | null {
    const raw = entry.raw ?? {};
    const { value, faults: unresolved } = references.resolve(raw);
    const validated = (validators.get(entry.name) as Validator)(value, raw);
    const found = [...unresolved, ...validated.faults.map((fault) => misplaced(fault, entry.name, homes))];
    faults.push(...found.map(({ path, message }) => ({ path: place(entry.file, path), message })));
    if (!isRecord(raw) || !isRecord(validated.value)) return null;
    const faulty = found.map((fault) => fault.path);
    return { file: entry.file, name: entry.name, raw, resolved: validated.value, faulty };
  }

  return {
    read(folder) {
      const { files, faults } = readFolder(folder, [...schemas.keys()]);
      const documents: Documents = { collections: {}, settings: {} };
      for (const entry of files) {
        const checked = checkFile(entry, faults);
        if (checked === null) continue;
        for (const section of sections.filter((section) => fileOf(section) === entry.name)) {
          if (section.kind === 'setting') addSetting(documents, section, checked);
          else faults.push(...addCollection(documents, section, checked));
        }
      }
      return { documents, faults };
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const place = (file: string, path: string): string => (path === '' ? file : `${file}: ${path}`);

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

function addCollection(documents: Documents, section: CollectionSection, checked: CheckedFile): Fault[] {
  const faults: Fault[] = [];
  const items: CollectionItem[] = [];
  const resolved = checked.resolved[section.member];
  const raw = checked.raw[section.member];
  // An empty file says nothing; only a list that is written out, though it be empty, may prune what it leaves out.
  if (raw === undefined) return faults;
  for (const [index, value] of (Array.isArray(resolved) ? resolved : []).entries()) {
    if (!isRecord(value)) continue;
    const path = joinPath(section.member, index);
    const id = section.idOf(value);
    const earlier = items.findIndex((item) => item.id === id);
    if (earlier !== -1) {
      const message = `has the same name as ${joinPath(section.member, earlier)}: '${id}'`;
      faults.push({ path: place(checked.file, path), message });
      continue;
    }
    const written = (raw as unknown[])[index] as Record<string, unknown>;
    items.push({
      id,
      path: place(checked.file, path),
      valid: !isFaulty(checked, path),
      raw: written,
      resolved: value,
    });
  }
  documents.collections[section.member] = items;
  return faults;
}
