import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Document } from 'yaml';
import type { Fault } from '../lib/problem.ts';
import { closest } from '../lib/suggest.ts';

/** One configuration file as it was written. */
export interface ConfigFile {
  /** `apps.yaml`. */
  file: string;
  /** Its name without ending. */
  name: string;
  /** What it says; null for an empty file. */
  raw: unknown;
}

/** Loaded when a file is read: a start on a database that is configured reads none. */
const library = () => createRequire(import.meta.url)('yaml') as typeof import('yaml');

/** `schema.json` may lie beside the files for editors. */
const ignored = new Set(['schema.json']);
const readable = /^([^.].*)\.(?:ya?ml|json)$/iu;

/**
 * Reads the YAML and JSON files of a folder. Other endings and hidden files are passed over; a file of the right ending
 * that no part of the program knows is a fault, because it was written to have an effect. So is a folder without any
 * file: it was named by mistake, and applied to an empty database it would count as the configuration.
 */
export function readFolder(
  folder: string,
  known: readonly string[],
): { files: ConfigFile[]; faults: Fault[] } {
  const files: ConfigFile[] = [];
  const faults: Fault[] = [];
  for (const file of list(folder, faults)) {
    const name = readable.exec(file)?.[1];
    if (name === undefined || ignored.has(file)) continue;
    if (!known.includes(name)) {
      faults.push({ path: file, message: unknownFile(name, known) });
    } else if (files.some((other) => other.name === name)) {
      faults.push({ path: file, message: `says the same as another file named ${name}: keep one of them` });
    } else {
      files.push({ file, name, raw: parse(join(folder, file), file, faults) });
    }
  }
  if (files.length === 0 && faults.length === 0) {
    const message = `holds none of the files that are read: ${fileNames(known)}`;
    faults.push({ path: folder, message });
  }
  return { files, faults };
}

const fileNames = (known: readonly string[]): string => known.map((name) => `${name}.yaml`).join(', ');

function list(folder: string, faults: Fault[]): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() || readable.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    faults.push({ path: folder, message: `cannot be read (${(error as NodeJS.ErrnoException).code})` });
    return [];
  }
}

function unknownFile(name: string, known: readonly string[]): string {
  const meant = closest(name, known);
  return meant === undefined
    ? `is no file that this version reads; it reads ${fileNames(known)}`
    : `is no file that this version reads; did you mean '${meant}.yaml'?`;
}

/** YAML 1.2, of which JSON is a part. Members given twice are faults. */
function parse(path: string, file: string, faults: Fault[]): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    faults.push({ path: file, message: `cannot be read (${(error as NodeJS.ErrnoException).code})` });
    return null;
  }
  const document = library().parseDocument(text, { prettyErrors: true });
  // A warning is a tag that means nothing here (`!secret`): what stands behind it is not what was meant.
  const problems = [...document.errors, ...document.warnings];
  for (const error of problems)
    faults.push({ path: `${file}: ${placeOf(error)}`, message: firstLine(error) });
  return problems.length > 0 ? null : toPlain(document, file, faults);
}

/** An alias that is unknown or multiplies beyond reason is found only here. */
function toPlain(document: Document.Parsed, file: string, faults: Fault[]): unknown {
  try {
    return document.toJS();
  } catch (error) {
    faults.push({ path: file, message: firstLine(error as Error) });
    return null;
  }
}

function placeOf(error: { linePos?: readonly { line: number; col: number }[] | undefined }): string {
  const start = error.linePos?.[0];
  return start === undefined ? 'text' : `line ${start.line}, column ${start.col}`;
}

/** The library adds the place and a drawing of it. */
const firstLine = (error: Error & { code?: string }): string =>
  error.code === 'MULTIPLE_DOCS'
    ? 'a second document begins here: a file holds one'
    : (error.message.split('\n')[0] ?? '').replace(/ at line \d+.*$/u, '');
