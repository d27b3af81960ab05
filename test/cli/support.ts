import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import { createContext, createSections } from '../../src/app.ts';
import type { CommandDeps } from '../../src/cli/command.ts';
import { run } from '../../src/cli/program.ts';
import { examine } from '../../src/doctor.ts';
import { plantedFolder } from '../helpers/embedded-seed.ts';

export const root = resolve(import.meta.dirname, '../..');
export const demoFolder = join(root, 'config/demo');

/** A folder of its own, gone with the test. */
export function temporary(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A data folder of its own with a migrated, empty embedded database, gone with the test. */
export async function migratedFolder(t: Test): Promise<string> {
  const folder = await plantedFolder();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of the demo's files with some of their text replaced. */
export function demoWith(t: Test, changes: Record<string, [from: string, to: string][]>): string {
  const folder = temporary(t);
  cpSync(demoFolder, folder, { recursive: true });
  for (const [file, replacements] of Object.entries(changes)) {
    const path = join(folder, file);
    let text = readFileSync(path, 'utf8');
    for (const [from, to] of replacements) {
      if (!text.includes(from)) throw new Error(`${file} does not say ${from}`);
      text = text.replace(from, () => to);
    }
    writeFileSync(path, text);
  }
  return folder;
}

export interface Ran {
  code: number;
  output: string;
  errors: string;
}

/** Runs a command in this process, on the real composition. */
export async function sallyport(
  variables: Record<string, string>,
  args: string[],
  overrides: Partial<CommandDeps> = {},
): Promise<Ran> {
  let output = '';
  let errors = '';
  const deps: CommandDeps = {
    variables,
    write: (text) => {
      output += text;
    },
    writeError: (text) => {
      errors += text;
    },
    createContext,
    createSections,
    examine,
    serve: async () => {},
    start: async () => ({ close: async () => {} }),
    ...overrides,
  };
  const code = await run(args, deps);
  return { code, output, errors };
}
