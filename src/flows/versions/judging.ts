import { createValidator, hasReference } from '../../config/index.ts';
import type { CollectionItem, Configuration, Documents, Loaded } from '../../config/types.ts';
import { type Fault, Problem } from '../../lib/problem.ts';
import { flowSchema } from '../documents/schema.ts';
import { methods } from '../methods/index.ts';
import { isBuiltIn } from './built-in.ts';

export interface JudgingDeps {
  /** Judges documents in the light of everything else that is in force. */
  check: Configuration['check'];
  /** In the same light: what is probably not meant. */
  advise: Configuration['advise'];
}

const validate = createValidator(flowSchema(methods));

/** What is wrong with a document; nothing where it could be saved. */
export interface JudgedFlow {
  id: string;
  faults: Fault[];
  /** What may be said and is probably not meant; of a document without faults. */
  advice: Fault[];
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
  const { value, faults } = validate(structuredClone(raw), raw);
  const referring = referencesIn(raw).map((path) => ({
    ...{ path, message: 'references are read from the operator’s own files only: write the value itself' },
  }));
  const own = 'begins with @: such ids belong to flows that are built in, so give this one another';
  const told = faults.map((fault) =>
    fault.path === 'id' && isBuiltIn(raw.id) ? { ...fault, message: own } : fault,
  );
  return { raw, resolved: value as Record<string, unknown>, faults: [...told, ...referring] };
}

/** Several at once: of two of one flow only one could be its draft. */
export const readDocuments = (all: Record<string, unknown>[]): Read[] =>
  all.map((raw, index) => {
    const earlier = all.findIndex(({ id }) => id !== undefined && id === raw.id);
    const read = readDocument(raw);
    if (earlier === index || earlier < 0) return read;
    const twice = { path: 'id', message: `is that of flows[${earlier}], too: “${String(raw.id)}”` };
    return { ...read, faults: [...read.faults, twice] };
  });

function referencesIn(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return hasReference(value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((one, index) => referencesIn(one, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    referencesIn(one, path === '' ? name : `${path}.${name}`),
  );
}

const placeOf = (index: number): string => `flows[${index}]`;

/** All at once: what one of them says may matter to another. */
export async function judge({ advise, check }: JudgingDeps, all: Read[]): Promise<JudgedFlow[]> {
  const items = all.flatMap(({ faults, raw, resolved }, index) =>
    faults.length > 0 ? [] : [itemOf(String(raw.id), { raw, resolved }, placeOf(index))],
  );
  const documents: Documents = { collections: { flows: items }, settings: {} };
  const found = items.length > 0 ? await check(documents, { prune: false }) : [];
  const advice = items.length > 0 && found.length === 0 ? await advise(documents) : [];
  const elsewhere = found.filter(({ path }) => all.every((_, index) => !isAt(path, placeOf(index))));
  return all.map(({ faults, raw }, index) => {
    const place = placeOf(index);
    const own = faults.map(({ path, message }) => ({
      path: path === '' || path.startsWith('[') ? `${place}${path}` : `${place}.${path}`,
      message,
    }));
    return {
      id: typeof raw.id === 'string' ? raw.id : '',
      faults: [
        ...own,
        ...found.filter(({ path }) => isAt(path, place)),
        // What else would go wrong is told once.
        ...(index === 0 ? elsewhere : []),
      ],
      advice: advice.filter(({ path }) => isAt(path, place)),
    };
  });
}

const isAt = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);

/** What the checks of saving say to a flow, as if a file said the same. */
export const unfit = (
  { check }: Pick<JudgingDeps, 'check'>,
  id: string,
  loaded: Loaded,
  path: string,
): Promise<Fault[]> =>
  check({ collections: { flows: [itemOf(id, loaded, path)] }, settings: {} }, { prune: false });

const itemOf = (id: string, { raw, resolved }: Loaded, path: string): CollectionItem => ({
  ...{ id, path, valid: true, raw, resolved },
});

export function demandNone(faults: Fault[]): void {
  if (faults.length === 0) return;
  throw new Problem({
    ...{ status: 400, code: 'flow_invalid', message: 'The flow cannot be used like this.' },
    errors: faults,
  });
}
