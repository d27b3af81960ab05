import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import {
  ConfigurationError,
  createReader,
  createReferences,
  publishedSchema,
  readEnvironment,
  validateFolder,
} from '../config/index.ts';
import type { Change, Documents, Environment } from '../config/types.ts';
import type { Fault } from '../lib/problem.ts';
import { type CommandDeps, CommandFailure } from './command.ts';
import { type Backend, withBackend } from './server/backend.ts';

const schemaFile = fileURLToPath(new URL('../../config/schema.json', import.meta.url));
const folderArgument = ['[folder]', 'folder with the files (default: CONFIG_DIR)'] as const;

export function configCommand(deps: CommandDeps): Command {
  const command = new Command('config').description('configuration in files and in the database');
  command
    .command('validate')
    .description('check the files by themselves, without a database')
    .argument(...folderArgument)
    .action((folder?: string) => validate(deps, folder));
  command
    .command('diff')
    .description('show how the files differ from the database')
    .argument(...folderArgument)
    .action((folder?: string) => diff(deps, folder));
  command
    .command('apply')
    .description('bring the database to what the files say')
    .argument(...folderArgument)
    .option('--prune', 'also delete what only the database has, for each file that exists')
    .action((folder: string | undefined, options: { prune?: true }) =>
      apply(deps, folder, options.prune ?? false),
    );
  command
    .command('export')
    .description('write the configuration of the database as files; secrets as references or placeholders')
    .argument('[folder]', 'a folder for the files (default: standard output)')
    .action((folder?: string) => exportFiles(deps, folder));
  command
    .command('schema')
    .description('print the JSON Schema of the files, for editors')
    .option('--write', 'write it to config/schema.json instead')
    .action((options: { write?: true }) => schema(deps, options.write ?? false));
  return command;
}

function folderOf(environment: Environment, argument: string | undefined): string {
  const folder = argument === undefined ? environment.configDir : resolve(argument);
  if (folder === null) throw new CommandFailure('Name the folder with the files, or set CONFIG_DIR.');
  return folder;
}

async function validate(deps: CommandDeps, argument: string | undefined): Promise<void> {
  const environment = readEnvironment(deps.variables);
  const folder = folderOf(environment, argument);
  const sections = await deps.createSections(environment);
  const references = createReferences(deps.variables);
  const { faults, advice } = validateFolder({ sections, references }, folder);
  advise(deps, advice);
  if (faults.length > 0) throw new ConfigurationError(faults);
  deps.write(`No faults in ${folder}.\n`);
}

/** What may be applied and is probably not meant. */
const advise = (deps: CommandDeps, advice: Fault[]): void => {
  for (const { path, message } of advice) deps.writeError(`warning: ${path}: ${message}\n`);
};

/** Reads the files here, wherever the database is: a server is never asked to open them. */
async function withDocuments(
  deps: CommandDeps,
  argument: string | undefined,
  options: { prune: boolean },
  work: (backend: Backend, documents: Documents) => Promise<void>,
): Promise<void> {
  const environment = readEnvironment(deps.variables);
  const folder = folderOf(environment, argument);
  const sections = await deps.createSections(environment);
  const reader = createReader({ sections, references: createReferences(deps.variables) });
  const { documents, faults, advice } = reader.read(folder);
  advise(deps, advice);
  await withBackend(deps, environment, async (backend) => {
    if (faults.length > 0)
      throw new ConfigurationError([...faults, ...(await backend.check(documents, options))]);
    await work(backend, documents);
  });
}

const marks = { create: '+', update: '~', delete: '-' } as const;

function describe({ action, member, id, paths }: Change, note: string): string {
  const details =
    action === 'update' && paths.length === 0 ? 'the value behind a reference' : paths.join(', ');
  const tail = [details, note].filter(Boolean).join('  ');
  return `${marks[action]} ${member} ${id}${tail === '' ? '' : `  (${tail})`}\n`;
}

const keptNote = (change: Change): string =>
  change.action === 'delete' ? 'only in the database; apply --prune deletes it' : '';

const diff = (deps: CommandDeps, folder: string | undefined): Promise<void> =>
  withDocuments(deps, folder, { prune: false }, async (backend, documents) => {
    const changes = await backend.diff(documents);
    if (changes.length === 0) deps.write('The files and the database say the same.\n');
    for (const change of changes) deps.write(describe(change, keptNote(change)));
  });

const apply = (deps: CommandDeps, folder: string | undefined, prune: boolean): Promise<void> =>
  withDocuments(deps, folder, { prune }, async (backend, documents) => {
    const changes = await backend.apply(documents, { prune });
    for (const change of changes) deps.write(describe(change, ''));
    const kept = (await backend.diff(documents)).filter(({ action }) => action === 'delete');
    for (const change of kept) deps.write(`  ${describe(change, keptNote(change)).slice(2)}`);
    deps.write(changes.length === 0 ? 'Nothing to do.\n' : `${changes.length} applied.\n`);
  });

async function exportFiles(deps: CommandDeps, argument: string | undefined): Promise<void> {
  await withBackend(deps, readEnvironment(deps.variables), async (backend) => {
    const files = Object.entries(await backend.export());
    if (argument === undefined) {
      deps.write(files.map(([name, text]) => `# ${name}\n${text}`).join('---\n'));
      return;
    }
    const folder = resolve(argument);
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of files) {
      writeNew(join(folder, name), text);
      deps.write(`wrote ${join(folder, name)}\n`);
    }
  });
}

/** Files with somebody's comments are not written over. */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandFailure(`${path} exists already: export into an empty folder.`);
  }
}

async function schema(deps: CommandDeps, write: boolean): Promise<void> {
  const sections = await deps.createSections(readEnvironment(deps.variables));
  const text = `${JSON.stringify(publishedSchema(sections), null, 2)}\n`;
  if (!write) return deps.write(text);
  writeFileSync(schemaFile, text);
  deps.write(`wrote ${schemaFile}\n`);
}
