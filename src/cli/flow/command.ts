import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { ConfigurationError } from '../../config/index.ts';
import { type FlowDesk, type FlowShown, fillTemplate, templates, unchangeable } from '../../flows/index.ts';
import { parseDuration } from '../../lib/duration.ts';
import { Problem } from '../../lib/problem.ts';
import { actor } from '../actor.ts';
import { type CommandDeps, CommandFailure } from '../command.ts';
import { withDesk } from './desk.ts';
import { figuresPage, listPage, showPage, table } from './pages.ts';
import { simulateCommand } from './simulate.ts';
import { duration, pair, percent, wholeNumber } from './values.ts';

export function flowCommand(deps: CommandDeps): Command {
  const command = new Command('flow').description('the steps of sign-ins, in versions');
  command
    .command('list')
    .description('show the flows, what is published of each, and who uses it')
    .action(() => withDesk(deps, async (desk) => deps.write(listPage(await desk.list()))));
  command
    .command('show')
    .description('show a flow and its versions')
    .argument('<id>', 'the flow')
    .option('--version <number>', 'another version than the published one', wholeNumber)
    .option('--yaml', 'only the document, as a file says it')
    .action((id: string, options: ShowOptions) => show(deps, id, options));
  documentCommands(command, deps);
  versionCommands(command, deps);
  command.addCommand(simulateCommand(deps));
  command
    .command('figures')
    .description('what each step costs people, counted from the record of events')
    .argument('<id>', 'the flow')
    .option('--version <number>', 'of one version only', wholeNumber)
    .addOption(
      new Option('--since <duration>', 'sign-ins that began within this time')
        .argParser(duration)
        .default(parseDuration('7d'), '7d'),
    )
    .option('--json', 'as JSON')
    .action((id: string, options: FiguresOptions) => figures(deps, id, options));
  return command;
}

function documentCommands(command: Command, deps: CommandDeps): void {
  command
    .command('template')
    .description('list flows to begin with, or print one')
    .argument('[name]', 'the template')
    .option('--set <name=value>', 'another value than the usual one; may be repeated', pair, {})
    .action((name: string | undefined, { set }: { set: Record<string, string> }) =>
      template(deps, name, set),
    );
  command
    .command('check')
    .description('say what is wrong with flows in a file, in the light of what is in force; saves nothing')
    .argument('<file>', 'YAML or JSON: one flow, a list, or a list under flows')
    .action((file: string) => check(deps, file));
  command
    .command('draft')
    .description('save flows as drafts, which no sign-in takes before they are published')
    .argument('<file>', 'YAML or JSON: one flow, a list, or a list under flows')
    .option('--note <text>', 'why, for the record')
    .action((file: string, options: { note?: string }) => draft(deps, file, options));
}

function versionCommands(command: Command, deps: CommandDeps): void {
  command
    .command('publish')
    .description('let new sign-ins take a version; those under way stay on theirs')
    .argument('<id>', 'the flow')
    .option('--version <number>', 'default: the one that is tried, or else the draft', wholeNumber)
    .option('--share <percent>', 'only for this share of the browsers', percent)
    .option('--replaces <number>', 'fail unless this version is published now', wholeNumber)
    .action((id: string, options: PublishOptions) => publish(deps, id, options));
  command
    .command('rollback')
    .description('take back what was published last: a trial, or the published version')
    .argument('<id>', 'the flow')
    .option('--to <number>', 'this version, instead of the one before', wholeNumber)
    .action((id: string, options: { to?: number }) => rollBack(deps, id, options));
  command
    .command('archive')
    .description('put a draft away, or end a trial')
    .argument('<id>', 'the flow')
    .option('--version <number>', 'default: the draft', wholeNumber)
    .action((id: string, options: { version?: number }) => archive(deps, id, options));
}

interface ShowOptions {
  version?: number;
  yaml?: true;
}

interface PublishOptions {
  version?: number;
  share?: number;
  replaces?: number;
}

interface FiguresOptions {
  version?: number;
  /** Milliseconds. */
  since: number;
  json?: true;
}

const show = (deps: CommandDeps, id: string, { version, yaml }: ShowOptions): Promise<void> =>
  withDesk(deps, async (desk) => {
    const shown = await desk.show(id, version ?? null);
    const document = await toYaml({ flows: [shown.document] });
    deps.write(yaml ? document : showPage(shown, document));
  });

async function toYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value);
}

async function template(
  deps: CommandDeps,
  name: string | undefined,
  values: Record<string, string>,
): Promise<void> {
  if (name !== undefined) return deps.write(await toYaml({ flows: [fillTemplate(name, values)] }));
  deps.write(
    table(
      templates.flatMap(({ id, about, parameters }) => [
        [id, about],
        ...parameters.map((one) => ['', `--set ${one.name}=${one.default}  ${one.about}`]),
      ]),
    ),
  );
}

const check = (deps: CommandDeps, file: string): Promise<void> =>
  withDesk(deps, async (desk) => {
    const judged = await desk.check(await readFlows(file));
    const faults = judged.flatMap((one) => one.faults);
    for (const { path, message } of inFile(
      file,
      judged.flatMap(({ advice }) => advice),
    )) {
      deps.writeError(`warning: ${path}: ${message}\n`);
    }
    if (faults.length > 0) throw new ConfigurationError(inFile(file, faults));
    deps.write(`No faults in ${judged.map(({ id }) => id).join(', ')}.\n`);
  });

/** What is wrong with a file is told at its place there. */
function faultyFile(file: string, error: unknown): unknown {
  const faults =
    error instanceof ConfigurationError ? error.faults : error instanceof Problem ? error.errors : [];
  return faults.length === 0 ? error : new ConfigurationError(inFile(file, faults));
}

const inFile = (file: string, faults: { path: string; message: string }[]) =>
  faults.map(({ path, message }) => ({ path: `${file}: ${path}`, message }));

const draft = (deps: CommandDeps, file: string, { note }: { note?: string }): Promise<void> =>
  withDesk(deps, async (desk) => {
    const flows = await readFlows(file);
    const saved = await desk.draft(flows, { by: actor(), note: note ?? null }).catch((error: unknown) => {
      throw faultyFile(file, error);
    });
    for (const { flow, version } of saved) {
      deps.write(`Saved as a draft: “${flow}”, version ${version}. No sign-in takes it yet.\n`);
    }
  });

async function changeable(desk: FlowDesk, id: string, version: number | null): Promise<FlowShown> {
  const shown = await desk.show(id, version);
  if (shown.builtIn !== null) throw unchangeable(id, shown.builtIn);
  return shown;
}

const publish = (
  deps: CommandDeps,
  id: string,
  { version, share, replaces }: PublishOptions,
): Promise<void> =>
  withDesk(deps, async (desk) => {
    const { draft, published, trial } = await changeable(desk, id, version ?? null);
    const chosen = version ?? trial?.version ?? draft;
    if (chosen === null)
      throw new CommandFailure(`“${id}” has no draft: name a version, or save a draft first.`);
    const done = await desk.publish({
      ...{ flow: id, version: chosen, replaces: replaces ?? published, share: share ?? null, by: actor() },
    });
    const who = done.share === null ? 'All new sign-ins' : `New sign-ins of ${done.share} % of the browsers`;
    const before = done.replaced === null ? '' : ` instead of version ${done.replaced}`;
    deps.write(`${who} take version ${done.version} of “${id}”${before}.\n`);
  });

const rollBack = (deps: CommandDeps, id: string, { to }: { to?: number }): Promise<void> =>
  withDesk(deps, async (desk) => {
    const { published, trial } = await changeable(desk, id, null);
    const from = to === undefined ? (trial?.version ?? published) : published;
    if (from === null)
      throw new CommandFailure(`Nothing of “${id}” is published: there is nothing to take back.`);
    const done = await desk.rollBack({ flow: id, from, to: to ?? null, by: actor() });
    deps.write(
      `All new sign-ins take version ${done.version} of “${id}” again; version ${from} is taken back.\n`,
    );
    deps.write('Where flows.yaml says otherwise, the next config apply publishes what it says.\n');
  });

const archive = (deps: CommandDeps, id: string, { version }: { version?: number }): Promise<void> =>
  withDesk(deps, async (desk) => {
    const chosen = version ?? (await changeable(desk, id, null)).draft;
    if (chosen === null) throw new CommandFailure(`“${id}” has no draft: name a version.`);
    await desk.archive({ flow: id, version: chosen, by: actor() });
    deps.write(`Archived: version ${chosen} of “${id}”.\n`);
  });

const figures = (deps: CommandDeps, id: string, { version, since, json }: FiguresOptions): Promise<void> =>
  withDesk(deps, async (desk) => {
    const counted = await desk.figures(id, { version: version ?? null, sinceMs: since });
    deps.write(json ? `${JSON.stringify(counted, null, 2)}\n` : figuresPage(counted));
  });

/** One flow, a list of them, or a list under `flows`. */
async function readFlows(file: string): Promise<Record<string, unknown>[]> {
  const { parseDocument } = await import('yaml');
  const parsed = parseDocument(readFileSync(file, 'utf8'), { prettyErrors: true });
  const problem = parsed.errors[0] ?? parsed.warnings[0];
  if (problem !== undefined) throw new CommandFailure(`${file}: ${problem.message}`);
  const value: unknown = parsed.toJS();
  const listed = isMembers(value) && Array.isArray(value.flows) ? value.flows : [value].flat();
  if (listed.length === 0 || !listed.every(isMembers))
    throw new CommandFailure(`${file} holds no flow: one document, or a list of them.`);
  return listed;
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
