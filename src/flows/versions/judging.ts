import { createValidator, hasReference } from '../../config/index.ts';
import type { Configuration, Loaded } from '../../config/types.ts';
import { type Fault, Problem } from '../../lib/problem.ts';
import { flowSchema } from '../documents/schema.ts';
import { methods } from '../methods/index.ts';

export interface JudgingDeps {
  /** Judges documents in the light of everything else that is in force. */
  check: Configuration['check'];
}

/** What is wrong with a document; nothing where it could be saved. */
export interface JudgedFlow {
  id: string;
  faults: Fault[];
}

/** A document as somebody sent it, with what the schema says about it. */
interface Read extends Loaded {
  faults: Fault[];
}

/**
 * References would read this machine's variables and files for whoever sent the document: those stand in the operator's
 * own files only.
 */
export function readDocument(raw: Record<string, unknown>): Read {
  const { value, faults } = createValidator(flowSchema(methods))(structuredClone(raw), raw);
  const referring = referencesIn(raw).map((path) => ({
    ...{ path, message: 'references are read from the operator’s own files only: write the value itself' },
  }));
  return { raw, resolved: value as Record<string, unknown>, faults: [...faults, ...referring] };
}

function referencesIn(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return hasReference(value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((one, index) => referencesIn(one, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    referencesIn(one, path === '' ? name : `${path}.${name}`),
  );
}

export async function judge(deps: JudgingDeps, read: Read, index: number): Promise<JudgedFlow> {
  const id = typeof read.raw.id === 'string' ? read.raw.id : '';
  const place = `flows[${index}]`;
  if (read.faults.length === 0) return { id, faults: await unfit(deps, id, read, place) };
  const faults = read.faults.map(({ path, message }) => ({
    path: path === '' || path.startsWith('[') ? `${place}${path}` : `${place}.${path}`,
    message,
  }));
  return { id, faults };
}

/** What the checks of saving say to a flow, as if a file said the same. */
export function unfit(
  { check }: JudgingDeps,
  id: string,
  { raw, resolved }: Loaded,
  path: string,
): Promise<Fault[]> {
  const documents = { collections: { flows: [{ id, path, valid: true, raw, resolved }] }, settings: {} };
  return check(documents, { prune: false });
}

export function demandNone(faults: Fault[]): void {
  if (faults.length === 0) return;
  throw new Problem({
    ...{ status: 400, code: 'flow_invalid', message: 'The flow cannot be used like this.' },
    errors: faults,
  });
}
