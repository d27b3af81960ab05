import type { ErrorObject } from 'ajv';
import { closest } from '../../lib/suggest.ts';

interface Form {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Form>;
}

interface Branch {
  form: Form;
  errors: ErrorObject[];
}

/** Beyond this a form was not meant at all; below it, it was meant and something in it is wrong. */
const notMeant = 20;
const otherConstant = 80;
const otherKind = 100;

/** The forms that a choice offers, each with what speaks against it. */
export function branchesOf(union: ErrorObject, errors: ErrorObject[]): Branch[] {
  const forms = (union.schema ?? []) as Form[];
  return forms.map((form, index) => {
    const prefix = `${union.schemaPath}/${index}/`;
    return { form, errors: errors.filter((error) => error.schemaPath.startsWith(prefix)) };
  });
}

/** What speaks against a form having been meant: its kind, its constants, the members that mark it. */
function weight(error: ErrorObject, union: ErrorObject): number {
  const depth = error.instancePath.split('/').length - union.instancePath.split('/').length;
  if (error.keyword === 'anyOf' || error.keyword === 'oneOf') return 0;
  if (depth === 0 && ['type', 'const', 'enum'].includes(error.keyword)) return otherKind;
  if (depth === 1 && error.keyword === 'const') return otherConstant;
  if (depth === 0 && error.keyword === 'required') return notMeant;
  if (depth === 0 && error.keyword === 'additionalProperties') return 5;
  return 1;
}

/** The errors of the form that was meant, or one sentence that lists the forms when that cannot be told. */
export function explainUnion(
  union: ErrorObject,
  branches: Branch[],
): { errors: ErrorObject[] } | { message: string } {
  const ranked = branches
    .map((branch) => ({
      ...branch,
      score: branch.errors.reduce((sum, error) => sum + weight(error, union), 0),
    }))
    .sort((one, other) => one.score - other.score);
  const [best, second] = ranked;
  if (best === undefined || best.errors.length === 0)
    return { message: 'fits more than one of the possible forms' };
  const clear = second === undefined || best.score < second.score;
  if (best.score < notMeant || (clear && best.score < otherConstant)) return { errors: best.errors };
  return { message: listForms(union, branches) };
}

function listForms(union: ErrorObject, branches: Branch[]): string {
  const names = [...new Set(branches.flatMap(({ form }) => nameOf(form)))];
  const words = names.map((name) => name.replace(/: …$/u, ''));
  const written = typeof union.data === 'string' ? [union.data] : Object.keys((union.data ?? {}) as object);
  const meant = written.length === 1 ? closest(written[0] ?? '', words) : undefined;
  const list = `must be one of ${names.join(', ')}`;
  return meant === undefined || words.includes(written[0] ?? '') ? list : `${list}; did you mean '${meant}'?`;
}

function nameOf(form: Form): string[] {
  if (form.const !== undefined) return [String(form.const)];
  if (form.enum !== undefined) return form.enum.map(String);
  const marked = Object.entries(form.properties ?? {}).find(([, member]) => member.const !== undefined);
  if (marked) return [String(marked[1].const)];
  const [only, ...others] = form.required ?? [];
  if (only !== undefined && others.length === 0) return [`${only}: …`];
  return [
    form.type === 'array'
      ? 'a list'
      : form.type === 'object'
        ? 'a group of members'
        : (form.type ?? 'a value'),
  ];
}
