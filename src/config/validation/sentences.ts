import type { ErrorObject } from 'ajv';
import { durationPattern } from '../../lib/duration.ts';
import type { Fault } from '../../lib/problem.ts';
import { closest } from '../../lib/suggest.ts';
import { joinPath } from '../references.ts';
import { branchesOf, explainUnion } from './unions.ts';

/** The members that a JSON Pointer (RFC 6901) names. */
export const segmentsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replace(/~1/gu, '/').replace(/~0/gu, '~'));

/** Turns `/flows/0/options/1/sms-otp` into `flows[0].options[1].sms-otp`. */
export const readablePath = (pointer: string): string =>
  segmentsOf(pointer).reduce(
    (path, segment) => joinPath(path, /^\d+$/u.test(segment) ? Number(segment) : segment),
    '',
  );

/**
 * The faults that a person should read. Of a choice between several forms only the form that was meant is explained,
 * not all the ones that were not.
 */
export function faultsOf(all: readonly ErrorObject[]): Fault[] {
  // "if" only repeats that something in its "then" is wrong.
  const errors = all.filter(({ keyword }) => keyword !== 'if');
  const unions = errors.filter(isUnion);
  const outermost = unions.filter(
    (union) => !unions.some((other) => other !== union && isBelow(union, other)),
  );
  const plain = errors.filter((error) => !isUnion(error) && !unions.some((union) => isBelow(error, union)));
  const faults = plain.map(faultOf);
  for (const union of outermost) {
    const branches = branchesOf(
      union,
      errors.filter((error) => error !== union && isBelow(error, union)),
    );
    const explained = explainUnion(union, branches);
    if ('errors' in explained) faults.push(...faultsOf(explained.errors));
    else faults.push({ path: readablePath(union.instancePath), message: explained.message });
  }
  return faults;
}

const isUnion = (error: ErrorObject): boolean => error.keyword === 'anyOf' || error.keyword === 'oneOf';

/** True for an error of one of the forms that `union` offered for the same place. */
const isBelow = (error: ErrorObject, union: ErrorObject): boolean =>
  error.schemaPath.startsWith(`${union.schemaPath}/`) &&
  (error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`));

function faultOf(error: ErrorObject): Fault {
  const path = readablePath(error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties': {
      const member = String(error.params.additionalProperty);
      return { path: joinPath(path, member), message: unknownMember(member, error) };
    }
    case 'required':
      return { path: joinPath(path, String(error.params.missingProperty)), message: 'is missing' };
    default:
      return { path, message: sentenceOf(error) };
  }
}

function unknownMember(member: string, error: ErrorObject): string {
  const known = Object.keys((error.parentSchema?.properties ?? {}) as object);
  const meant = closest(member, known);
  if (meant !== undefined) return `is unknown; did you mean '${meant}'?`;
  return known.length === 0
    ? 'is unknown: nothing may stand here'
    : `is unknown; known here: ${known.join(', ')}`;
}

/** The sentence for an error, to follow the path. It repeats no value: any of them may be a secret. */
function sentenceOf(error: ErrorObject): string {
  const { params } = error;
  switch (error.keyword) {
    case 'type':
      return wrongType(String(params.type), error.data);
    case 'enum':
      return oneOf(params.allowedValues as unknown[], error.data);
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'format':
      return formats[String(params.format)] ?? `must have the format ${params.format}`;
    case 'pattern':
      if (params.pattern === durationPattern) return 'must be a duration such as 30s, 5m, 8h or 30d';
      return `does not have the expected form (${exampleOf(error) ?? params.pattern})`;
    case 'minLength':
      return params.limit === 1 ? 'may not be empty' : `must have at least ${params.limit} characters`;
    case 'maxLength':
      return `may have at most ${params.limit} characters`;
    case 'minItems':
      return params.limit === 1 ? 'needs at least one entry' : `needs at least ${params.limit} entries`;
    case 'maxItems':
      return `may have at most ${params.limit} entries`;
    case 'uniqueItems':
      return `says the same twice (entries ${Number(params.i) + 1} and ${Number(params.j) + 1})`;
    case 'minProperties':
    case 'maxProperties':
      return howMany(error);
    case 'minimum':
      return `must be at least ${params.limit}`;
    case 'maximum':
      return `must be at most ${params.limit}`;
    default:
      return error.message ?? 'is wrong';
  }
}

/** People read an example more easily than an expression. */
function exampleOf({ parentSchema }: ErrorObject): string | undefined {
  const [example] = (parentSchema?.examples ?? []) as unknown[];
  return example === undefined ? undefined : `for instance ${String(example)}`;
}

function howMany({ params, parentSchema, keyword }: ErrorObject): string {
  const { maxProperties, minProperties, properties } = (parentSchema ?? {}) as Record<string, unknown>;
  const known = Object.keys((properties ?? {}) as object).join(', ');
  const of = known === '' ? '' : ` of ${known}`;
  if (minProperties === 1 && maxProperties === 1) return `needs exactly one${of}`;
  return keyword === 'minProperties'
    ? `needs at least ${params.limit}${of}`
    : `may have at most ${params.limit}${of}`;
}

const formats: Record<string, string> = {
  uri: 'must be a whole URL, with https://',
  email: 'must be an e-mail address',
  hostname: 'must be a host name',
  regex: 'must be a regular expression',
};

const typeNames: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of members',
  null: 'empty',
};

function wrongType(expected: string, data: unknown): string {
  const wanted = expected
    .split(',')
    .map((type) => typeNames[type] ?? type)
    .join(' or ');
  const isScalar = typeof data === 'number' || typeof data === 'boolean';
  if (expected === 'string' && isScalar) return 'must be text: put it in quotes';
  if (data === null) return `must be ${wanted}, but is empty`;
  return `must be ${wanted}`;
}

function oneOf(allowed: unknown[], data: unknown): string {
  const words = allowed.filter((value) => typeof value === 'string');
  const meant = typeof data === 'string' ? closest(data, words) : undefined;
  const list = `must be one of ${allowed.map(String).join(', ')}`;
  return meant === undefined ? list : `${list}; did you mean '${meant}'?`;
}
