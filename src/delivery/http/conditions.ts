import type { GatewayAnswer } from '../preset.ts';
import { pointed } from './json-pointer.ts';
import type { ConditionDocument, ExtractionDocument } from './options.ts';
import type { Patterns } from './patterns.ts';

type Fault = (path: string, message: string) => void;
/** What reading takes beside the document. */
export interface Reading {
  fault: Fault;
  patterns: Patterns;
}
type Scalar = string | number | boolean | null;
interface Comparison {
  equals?: Scalar;
  in?: Scalar[];
  exists?: boolean;
  matches?: string;
}

/** `null`: nothing of the kind that was asked can be told (the body is cut, or no JSON). */
export type Holds = (answer: GatewayAnswer) => boolean | null;

export interface Condition {
  holds: Holds;
  /** Status and headers are enough to tell. */
  headOnly: boolean;
  /** True of the status alone. */
  statusHolds(status: number): boolean;
}

/** Reads `success` or one entry of `outcomes`. A condition without `status` holds for `defaultStatus`, or for every status. */
export function readCondition(
  document: ConditionDocument,
  path: string,
  defaultStatus: (number | string)[] | null,
  reading: Reading,
): Condition {
  const { fault } = reading;
  const ranges = document.status ?? defaultStatus;
  const limits = ranges?.map(bounds) ?? null;
  const statusHolds = (status: number) =>
    limits === null || limits.some(([low, high]) => status >= low && status <= high);
  for (const [index, range] of (document.status ?? []).entries()) {
    const [low, high] = bounds(range);
    if (low > high) fault(`${path}.status[${index}]`, 'the range ends before it begins');
  }
  const header = document.header && readHeader(document.header, `${path}.header`, reading);
  const body = document.body && readBody(document.body, `${path}.body`, reading);
  return {
    headOnly: body === undefined,
    statusHolds,
    holds(answer) {
      if (!statusHolds(answer.status)) return false;
      const byHeader = header ? header(answer) : true;
      return byHeader === true && body ? body(answer) : byHeader;
    },
  };
}

const bounds = (range: number | string): [number, number] => {
  const [low = Number.NaN, high = low] = String(range).split('-').map(Number);
  return [low, high];
};

function readHeader(document: { name: string } & Comparison, path: string, reading: Reading): Holds {
  const { name, ...comparison } = document;
  const compare = readComparison(comparison, path, reading);
  const lower = name.toLowerCase();
  return (answer) => compare(answer.headers[lower]);
}

function readBody(document: { pointer?: string } & Comparison, path: string, reading: Reading): Holds {
  const { pointer, ...comparison } = document;
  const compare = readComparison(comparison, path, reading);
  if (pointer === undefined) {
    if (comparison.matches === undefined) reading.fault(path, 'needs a pointer, or matches');
    return (answer) => (answer.complete ? compare(answer.body) : null);
  }
  return (answer) => {
    const parsed = answer.complete ? jsonOf(answer) : undefined;
    return parsed === undefined ? null : compare(pointed(parsed.value, pointer));
  };
}

function readComparison(
  document: Comparison,
  path: string,
  { fault, patterns }: Reading,
): (value: unknown) => boolean | null {
  const given = Object.keys(document);
  if (given.length !== 1) fault(path, 'needs exactly one of equals, in, exists and matches');
  if (document.matches !== undefined) {
    const pattern = patterns.read(document.matches, `${path}.matches`);
    if (pattern === null) return () => false;
    return (value) => value !== undefined && pattern.finds(textOf(value));
  }
  if (document.exists !== undefined) return (value) => (value !== undefined) === document.exists;
  const wanted = document.in ?? [document.equals ?? null];
  return (value) => wanted.some((entry) => same(value, entry));
}

/** "0" and 0 mean the same to a gateway, and in YAML they are easily confused. */
const same = (value: unknown, wanted: Scalar): boolean =>
  value === wanted || (isPlain(value) && isPlain(wanted) && String(value) === String(wanted));
const isPlain = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Parsed once, however many conditions look at it. */
const parsed = new WeakMap<GatewayAnswer, { value: unknown } | undefined>();

function jsonOf(answer: GatewayAnswer): { value: unknown } | undefined {
  if (!parsed.has(answer)) parsed.set(answer, parseJson(answer.body));
  return parsed.get(answer);
}

function parseJson(body: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) };
  } catch {
    return undefined;
  }
}

/** The longest id that is kept. */
const MAX_ID = 200;

/** Reads where the gateway's id of the message stands. */
export function readExtraction(
  document: ExtractionDocument,
  path: string,
  { patterns }: Reading,
): { fromBody: boolean; extract(answer: GatewayAnswer): string | null } {
  const pattern = document.matches === undefined ? null : patterns.read(document.matches, `${path}.matches`);
  const find = (answer: GatewayAnswer): unknown => {
    if (document.header !== undefined) return answer.headers[document.header.toLowerCase()];
    if (document.pointer !== undefined) return pointed(jsonOf(answer)?.value, document.pointer);
    return pattern?.extract(answer.body);
  };
  return {
    fromBody: document.header === undefined,
    extract(answer) {
      const found = find(answer);
      return isPlain(found) ? String(found).slice(0, MAX_ID) : null;
    },
  };
}
