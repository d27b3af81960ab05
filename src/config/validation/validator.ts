import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';
import type { Fault } from '../../lib/problem.ts';
import { hasReference } from '../references.ts';
import { faultsOf, segmentsOf } from './sentences.ts';

/** The value with defaults filled in and references coerced to what stands for them, and what is wrong with it. */
export interface Validated {
  value: unknown;
  faults: Fault[];
}

/**
 * Validates a resolved value. `raw` is the same value before its references were resolved: where a reference stands
 * for a number or a truth value, and only there, the text it brought is read as one.
 */
export type Validator = (resolved: unknown, raw?: unknown) => Validated;

let ajv: Ajv | undefined;

function compiler(): Ajv {
  ajv ??= addFormats.default(new Ajv({ allErrors: true, useDefaults: true, verbose: true, strict: false }));
  return ajv;
}

/** Compiles a JSON Schema (on first use, for it takes milliseconds). */
export function createValidator(schema: object): Validator {
  let compiled: ReturnType<Ajv['compile']> | undefined;
  return (resolved, raw) => {
    compiled ??= compiler().compile(schema);
    const holder = { value: structuredClone(resolved) };
    if (compiled(holder.value)) return { value: holder.value, faults: [] };
    if (coerceReferences(holder, raw, compiled.errors ?? []) && compiled(holder.value)) {
      return { value: holder.value, faults: [] };
    }
    return { value: holder.value, faults: faultsOf(compiled.errors ?? []) };
  };
}

/** True for a value that is as the schema says. For a schema without defaults: they would be written into the value. */
export type Check = (value: unknown) => boolean;

/** Of a {@link Validator} only whether there is anything to find, for what is checked with each request. */
export function createCheck(schema: object): Check {
  let compiled: ReturnType<Ajv['compile']> | undefined;
  return (value) => {
    compiled ??= compiler().compile(schema);
    return compiled(value) === true;
  };
}

function coerceReferences(holder: { value: unknown }, raw: unknown, errors: ErrorObject[]): boolean {
  let changed = false;
  for (const error of errors.filter(({ keyword }) => keyword === 'type')) {
    const segments = ['value', ...segmentsOf(error.instancePath)];
    const written = segments.slice(1).reduce(member, raw);
    const wanted = scalarOf(error.data, String(error.params.type));
    if (typeof written !== 'string' || !hasReference(written) || wanted === undefined) continue;
    const parent = segments.slice(0, -1).reduce<unknown>(member, holder) as Record<string, unknown>;
    parent[segments.at(-1) ?? ''] = wanted;
    changed = true;
  }
  return changed;
}

const member = (value: unknown, name: string): unknown =>
  value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;

function scalarOf(text: unknown, type: string): number | boolean | undefined {
  if (typeof text !== 'string') return undefined;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  const isNumber =
    type === 'integer' ? /^-?\d+$/u.test(text) : type === 'number' && /^-?\d+(?:\.\d+)?$/u.test(text);
  return isNumber ? Number(text) : undefined;
}
