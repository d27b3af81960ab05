import { RE2JS } from 're2js';
import type { GatewayAnswer } from '../preset.ts';
import { pointed } from './json-pointer.ts';
import type { ConditionDocument, ExtractionDocument } from './options.ts';

type Fault = (path: string, message: string) => void;
type Scalar = string | number | boolean | null;
interface Comparison {
  equals?: Scalar;
  in?: Scalar[];
  exists?: boolean;
  matches?: string;
}

/** `null`: the body says nothing of the kind that was asked (it is cut, or no JSON). */
export type Holds = (answer: GatewayAnswer) => boolean | null;

export interface Condition {
  holds: Holds;
  /** Status and headers are enough to tell. */
  headOnly: boolean;
  /** True of the status alone. */
  statusHolds(status: number): boolean;
}

/** A program of more steps would cost too much memory for each answer. */
const MAX_PROGRAM = 5_000;

function pattern(source: string, path: string, fault: Fault): RE2JS | null {
  try {
    const compiled = RE2JS.compile(source);
    if (compiled.programSize() <= MAX_PROGRAM) return compiled;
    fault(path, 'the regular expression is too large');
  } catch (error) {
    fault(path, `is no regular expression that can be used: ${(error as Error).message}`);
  }
  return null;
}

/** Reads `success` or one entry of `outcomes`. A condition without `status` holds for `defaultStatus`, or for every status. */
export function readCondition(
  document: ConditionDocument,
  path: string,
  defaultStatus: (number | string)[] | null,
  fault: Fault,
): Condition {
  const ranges = document.status ?? defaultStatus;
  const statusHolds = (status: number) => ranges === null || ranges.some((range) => inRange(status, range));
  for (const [index, range] of (document.status ?? []).entries()) {
    const [low, high] = bounds(range);
    if (low > high) fault(`${path}.status[${index}]`, 'the range ends before it begins');
  }
  const header = document.header && readHeader(document.header, `${path}.header`, fault);
  const body = document.body && readBody(document.body, `${path}.body`, fault);
  return {
    headOnly: body === undefined,
    statusHolds,
    holds(answer) {
      if (!statusHolds(answer.status)) return false;
      if (header && !header(answer)) return false;
      return body ? body(answer) : true;
    },
  };
}

const bounds = (range: number | string): [number, number] => {
  const [low = Number.NaN, high = low] = String(range).split('-').map(Number);
  return [low, high];
};

const inRange = (status: number, range: number | string): boolean => {
  const [low, high] = bounds(range);
  return status >= low && status <= high;
};

function readHeader(document: { name: string } & Comparison, path: string, fault: Fault): Holds {
  const { name, ...comparison } = document;
  const compare = readComparison(comparison, path, fault);
  const lower = name.toLowerCase();
  return (answer) => compare(answer.headers[lower]);
}

function readBody(document: { pointer?: string } & Comparison, path: string, fault: Fault): Holds {
  const { pointer, ...comparison } = document;
  const compare = readComparison(comparison, path, fault);
  if (pointer === undefined) {
    if (comparison.matches === undefined) fault(path, 'needs a pointer, or matches');
    return (answer) => (answer.complete ? compare(answer.body) : null);
  }
  return (answer) => {
    const parsed = answer.complete ? parseJson(answer.body) : undefined;
    return parsed === undefined ? null : compare(pointed(parsed.value, pointer));
  };
}

function readComparison(document: Comparison, path: string, fault: Fault): (value: unknown) => boolean {
  const given = Object.keys(document);
  if (given.length !== 1) fault(path, 'needs exactly one of equals, in, exists and matches');
  if (document.matches !== undefined) {
    const compiled = pattern(document.matches, `${path}.matches`, fault);
    if (compiled === null) return () => false;
    return (value) => value !== undefined && compiled.matcher(textOf(value)).find();
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
  fault: Fault,
): { fromBody: boolean; extract(answer: GatewayAnswer): string | null } {
  const compiled =
    document.matches === undefined ? null : pattern(document.matches, `${path}.matches`, fault);
  const find = (answer: GatewayAnswer): unknown => {
    if (document.header !== undefined) return answer.headers[document.header.toLowerCase()];
    if (document.pointer !== undefined) return pointed(parseJson(answer.body)?.value, document.pointer);
    const matcher = compiled?.matcher(answer.body);
    return matcher?.find() ? matcher.group(matcher.groupCount() > 0 ? 1 : 0) : undefined;
  };
  return {
    fromBody: document.header === undefined,
    extract(answer) {
      const found = find(answer);
      return isPlain(found) ? String(found).slice(0, MAX_ID) : null;
    },
  };
}
