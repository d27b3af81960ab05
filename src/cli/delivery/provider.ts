import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { readEnvironment } from '../../config/index.ts';
import type { Judged, ProviderDesk, ProviderSummary, TestResult } from '../../delivery/index.ts';
import { type CommandDeps, CommandFailure } from '../command.ts';
import { withSide } from '../server/backend.ts';
import { askServer } from '../server/control.ts';

export function providerCommand(deps: CommandDeps): Command {
  const command = new Command('provider').description('gateways that send messages');
  command
    .command('list')
    .description('show them in the order in which they are asked')
    .action(() => withDesk(deps, async (desk) => deps.write(table(await desk.list()))));
  command
    .command('test')
    .description('send a test message by one provider and no other, and show what came of it')
    .argument('<id>', 'the provider')
    .requiredOption('--to <number>', 'the phone number with its country (+447700900123), or the address')
    .option('--text <text>', 'what it says')
    .option('--dry-run', 'show the request, secrets masked, and send nothing')
    .action((id: string, options: TestOptions) => test(deps, id, options));
  command
    .command('import')
    .description('take providers from a file: in our own form, or as identity servers write theirs')
    .argument('<file>', 'YAML or JSON: one document, or a list')
    .option('--id <id>', 'the name of the provider, where the file holds one')
    .option('--dry-run', 'say what would be saved, and save nothing')
    .action((file: string, options: ImportOptions) => importFile(deps, file, options));
  return command;
}

interface TestOptions {
  to: string;
  text?: string;
  dryRun?: true;
}

interface ImportOptions {
  id?: string;
  dryRun?: true;
}

const withDesk = (deps: CommandDeps, work: (desk: ProviderDesk) => Promise<void>): Promise<void> =>
  withSide<ProviderDesk>(deps, readEnvironment(deps.variables), {
    here: (context) => context.providers,
    there: (socket) => ({
      list: () => askServer(socket, 'provider/list', {}),
      judge: (documents) => askServer(socket, 'provider/judge', { documents }),
      save: (documents) => askServer(socket, 'provider/save', { documents }),
      dryRun: (trial) => askServer(socket, 'provider/dry-run', trial),
      test: (trial) => askServer(socket, 'provider/test', trial),
    }),
    work,
  });

function table(providers: ProviderSummary[]): string {
  if (providers.length === 0) return 'None. See config/providers.yaml.\n';
  return providers
    .map(({ id, channel, preset, enabled, origin, fault, leftAlone }) => {
      const resting = leftAlone && `left alone until ${leftAlone.until}: ${leftAlone.reason}`;
      const state = fault ?? (enabled ? (resting ?? 'on') : 'off');
      return `${id}  ${channel}  ${preset}  ${origin ?? '-'}  ${state}\n`;
    })
    .join('');
}

const test = (deps: CommandDeps, id: string, { dryRun, to, text }: TestOptions): Promise<void> =>
  withDesk(deps, async (desk) => {
    const trial = { id, to, ...(text !== undefined && { text }) };
    if (dryRun) {
      const { method, url, headers, body } = await desk.dryRun(trial);
      const lines = [`${method} ${url}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
      deps.write(`${lines.join('\n')}\n${body === null ? '' : `\n${body}\n`}\nNothing was sent.\n`);
      return;
    }
    const result = await desk.test(trial);
    deps.write(report(result));
    if (result.outcome !== 'accepted') throw new CommandFailure(meaning[result.outcome]);
  });

const meaning = {
  rejected: 'The gateway does not take this message, and would not take it again.',
  unavailable: 'The message was surely not sent.',
  unknown: 'The message may have been sent: look at the phone before you try again.',
} as const;

function report({ outcome, reason, gatewayId, tookMs, answer }: TestResult): string {
  const id = gatewayId === null ? '' : `, id ${gatewayId}`;
  const lines = [`${outcome} in ${tookMs} ms${id}`];
  const repeats = answer !== null && new RegExp(`^status ${answer.status}(:|$)`).test(reason ?? '');
  if (reason !== null && !repeats) lines.push(reason);
  if (answer !== null) lines.push(`answer ${answer.status}: ${answer.body}`.trim());
  return lines.map((line) => `${line}\n`).join('');
}

async function importFile(deps: CommandDeps, file: string, { id, dryRun }: ImportOptions): Promise<void> {
  const documents = await readDocuments(file);
  if (id !== undefined) {
    if (documents.length > 1)
      throw new CommandFailure('--id names one provider, and the file holds several.');
    documents[0] = { ...documents[0], id };
  }
  await withDesk(deps, async (desk) => {
    const judged = await desk.judge(documents);
    for (const one of judged) deps.write(findings(one));
    const broken = judged.flatMap((one) => one.findings).filter(({ level }) => level === 'error').length;
    if (broken > 0)
      throw new CommandFailure(`${broken === 1 ? '1 error' : `${broken} errors`}: nothing was saved.`);
    if (dryRun) {
      const { stringify } = await import('yaml');
      deps.write(stringify({ providers: judged.map(({ document }) => document) }));
      deps.write('Nothing was saved.\n');
      return;
    }
    for (const { action, id } of await desk.save(documents))
      deps.write(`${action === 'create' ? '+' : '~'} providers ${id}\n`);
  });
}

const findings = ({ id, findings }: Judged): string =>
  findings
    .map(({ level, path, message, mend }) => {
      const remedy = mend === '' ? '' : `: ${mend}`;
      return `${level === 'error' ? 'ERROR  ' : 'warning'}  ${id}  ${path}  ${message}${remedy}\n`;
    })
    .join('');

/** One document, a list of them, or a list under `providers`. */
async function readDocuments(file: string): Promise<Record<string, unknown>[]> {
  const { parseDocument } = await import('yaml');
  const parsed = parseDocument(readFileSync(file, 'utf8'), { prettyErrors: true });
  const problem = parsed.errors[0] ?? parsed.warnings[0];
  if (problem !== undefined) throw new CommandFailure(`${file}: ${problem.message}`);
  const value: unknown = parsed.toJS();
  const listed = isMembers(value) && Array.isArray(value.providers) ? value.providers : [value].flat();
  if (listed.length === 0 || !listed.every(isMembers))
    throw new CommandFailure(`${file} holds no provider: one document, or a list of them.`);
  return listed;
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
