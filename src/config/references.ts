import { readFileSync } from 'node:fs';
import type { Fault } from '../lib/problem.ts';
import type { References } from './types.ts';

/** `${env:NAME}`, `${env:NAME:-default}`, `${file:/path}`; any other word before the colon is a mistake. */
const reference = /\$\{(\w+):([^}]*)\}/gu;
/** What somebody meant to be a reference, and what would otherwise be taken at its word: as a secret, for instance. */
const misshapen = /(?<!\$)\$\{(?!\w+:[^{}]*\}|stored\})/u;
const environmentReference = /^([A-Za-z_]\w*)(?::-(.*))?$/su;

/** What stands in an export where the database holds a secret: brought back, it keeps what is there. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is written like this, as a reference is
export const stored = '${stored}';

export const hasReference = (value: string): boolean => value.search(reference) !== -1;

/** Appends a member to a path: `flows[0].steps`. */
export const joinPath = (path: string, member: string | number): string =>
  typeof member === 'number' ? `${path}[${member}]` : path === '' ? member : `${path}.${member}`;

/** Resolves references against the given variables and files. A set but empty variable takes its default, as in a shell. */
export function createReferences(
  env: Record<string, string | undefined>,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): References {
  function lookUp(kind: string, argument: string): { value: string } | { fault: string } {
    if (kind === 'file') return readReferenced(argument, readFile);
    if (kind !== 'env')
      return { fault: `"\${${kind}:…}" is no reference: write \${env:NAME} or \${file:/path}` };
    const [, name, fallback] = environmentReference.exec(argument) ?? [];
    if (name === undefined) return { fault: `"${argument}" is no name of an environment variable` };
    const value = env[name];
    if (fallback !== undefined && !value) return { value: fallback };
    return value === undefined ? { fault: `the environment variable ${name} is not set` } : { value };
  }

  function resolveText(text: string, path: string, faults: Fault[]): string {
    if (misshapen.test(text)) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: references are written like this
      const forms = '${env:NAME}, ${env:NAME:-default} or ${file:/path}';
      faults.push({ path, message: `holds a \${ that begins no reference: write ${forms}` });
      return text;
    }
    return text.replace(reference, (whole, kind: string, argument: string) => {
      const found = lookUp(kind, argument);
      if ('value' in found) return found.value;
      faults.push({ path, message: found.fault });
      return whole;
    });
  }

  function resolveValue(value: unknown, path: string, faults: Fault[]): unknown {
    if (typeof value === 'string') return resolveText(value, path, faults);
    if (Array.isArray(value))
      return value.map((item, index) => resolveValue(item, joinPath(path, index), faults));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([member, item]) => [
        member,
        resolveValue(item, joinPath(path, member), faults),
      ]),
    );
  }

  return {
    has: hasReference,
    resolve<T>(document: T) {
      const faults: Fault[] = [];
      return { value: resolveValue(document, '', faults) as T, faults };
    },
  };
}

/** The file's text without the line end that editors add. */
function readReferenced(
  path: string,
  readFile: (path: string) => string,
): { value: string } | { fault: string } {
  if (!path.startsWith('/')) return { fault: `"${path}" must be an absolute path` };
  try {
    return { value: readFile(path).replace(/\r?\n$/u, '') };
  } catch (error) {
    return {
      fault: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no such file'})`,
    };
  }
}
