import { isDeepStrictEqual } from 'node:util';
import type { Fault } from '../../lib/problem.ts';
import { hasReference, stored } from '../references.ts';
import type { StoredSetting } from '../store.ts';
import type { ConfigSection, SettingDocument, SettingSecrets } from '../types.ts';

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function read(value: unknown, path: string): unknown {
  let at = value;
  for (const name of path.split('.')) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}

/** A copy in which the member says something else. */
function replaced(value: unknown, path: string, by: unknown): unknown {
  const [name = '', ...rest] = path.split('.');
  const members = isObject(value) ? value : {};
  return { ...members, [name]: rest.length === 0 ? by : replaced(members[name], rest.join('.'), by) };
}

const isSecret = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The secrets of a section, where it has any. */
export function secretsOf(sections: readonly ConfigSection[], member: string): SettingSecrets | undefined {
  const section = sections.find((one) => one.kind === 'setting' && one.member === member);
  return section?.kind === 'setting' ? section.secrets : undefined;
}

/** A document as it may be kept in clear, and what is left out of it, sealed; null when that is nothing. */
export function withoutSecrets(
  { raw, resolved }: StoredSetting,
  secrets: SettingSecrets | undefined,
): { document: StoredSetting; sealed: string | null } {
  if (secrets === undefined) return { document: { raw, resolved }, sealed: null };
  const values: Record<string, string> = {};
  let rest = resolved;
  for (const path of Object.keys(secrets.members)) {
    const value = read(rest, path);
    if (!isSecret(value)) continue;
    values[path] = value;
    rest = replaced(rest, path, '');
  }
  const sealed = Object.keys(values).length === 0 ? null : secrets.seal(JSON.stringify(values));
  return { document: { raw: shown(raw, secrets), resolved: rest }, sealed };
}

/** As it stands in an export: a literal secret becomes `${stored}`, a reference stays. */
export function shown(raw: unknown, secrets: SettingSecrets | undefined): unknown {
  let kept = raw;
  for (const path of Object.keys(secrets?.members ?? {})) {
    const value = read(kept, path);
    if (isSecret(value) && !hasReference(value)) kept = replaced(kept, path, stored);
  }
  return kept;
}

/**
 * The document whole. Where its key is gone the secrets are empty: nothing starts like that but what looks for the
 * fault.
 */
export function withSecrets(
  { raw, resolved }: StoredSetting,
  sealed: string | null,
  secrets: SettingSecrets | undefined,
): StoredSetting {
  if (secrets === undefined) return { raw, resolved };
  if (sealed === null) {
    const inClear = Object.keys(secrets.members).some((path) => isSecret(read(resolved, path)));
    return { raw: shown(raw, secrets), resolved, ...(inClear && { inClear }) };
  }
  let whole = resolved;
  for (const [path, value] of Object.entries(opened(sealed, secrets))) whole = replaced(whole, path, value);
  return { raw, resolved: whole };
}

function opened(sealed: string, { open }: SettingSecrets): Record<string, string> {
  try {
    return JSON.parse(open(sealed)) as Record<string, string>;
  } catch {
    return {};
  }
}

/**
 * Puts back what `${stored}` stands for in a document from a file. A secret stays with whom it was meant for: once that
 * member says something else it has to be given again.
 */
export function restored(
  document: SettingDocument,
  present: StoredSetting | undefined,
  secrets: SettingSecrets | undefined,
): { document: SettingDocument; faults: Fault[] } {
  const faults: Fault[] = [];
  let { resolved } = document;
  for (const [path, meantFor] of Object.entries(secrets?.members ?? {})) {
    const given = read(document.raw, path);
    if (typeof given !== 'string' || !given.includes(stored)) continue;
    const kept = read(present?.resolved, path);
    const fault = (message: string) => faults.push({ path: `${document.path}.${path}`, message });
    if (given !== stored) fault(`${stored} only stands alone: write the secret again`);
    else if (!isSecret(kept)) fault(`says ${stored}, and nothing is stored: write the secret itself`);
    else if (!isDeepStrictEqual(read(present?.resolved, meantFor), read(resolved, meantFor))) {
      fault(`was meant for another ${meantFor}: it must be given again`);
    } else resolved = replaced(resolved, path, kept);
  }
  return { document: { ...document, raw: shown(document.raw, secrets), resolved }, faults };
}
