import { Command, Option } from 'commander';
import type { Simulation, SimulationRequest } from '../../flows/index.ts';
import type { CommandDeps } from '../command.ts';
import { withDesk } from './desk.ts';
import { table } from './pages.ts';
import { listed, pair, wholeNumber } from './values.ts';

type Asked = Omit<SimulationRequest, 'flow' | 'session'>;

interface SimulateOptions extends Asked {
  version?: number;
  session?: Record<string, string>;
  json?: true;
}

export const simulateCommand = (deps: CommandDeps): Command =>
  new Command('simulate')
    .description('say what a user would be asked, and by which rule; writes and sends nothing')
    .argument('<id>', 'the flow')
    .requiredOption('--user <name>', 'as they would type it')
    .option('--version <number>', 'another version than the published one', wholeNumber)
    .option('--app <id>', 'the app that they sign in to')
    .option('--ip <address>', 'where they come from')
    .option('--country <code>', 'the same, as ISO 3166 has it')
    .option('--user-agent <text>', 'what their browser calls itself')
    .addOption(
      new Option('--device <state>', 'whether each step was passed in this browser before').choices([
        ...['new', 'known', 'remembered'],
      ]),
    )
    .option('--session <method=age>', 'what their session has (password=5m); may be repeated', pair)
    .option('--acr <value>', 'what the app asks for; may be repeated', listed)
    .option('--max-age <duration>', 'the same: how old a sign-in may be')
    .option('--at <moment>', 'another moment than now (2026-01-31T22:00:00Z)')
    .option('--json', 'as JSON')
    .action((id: string, { version, session, json, ...asked }: SimulateOptions) =>
      withDesk(deps, async (desk) => {
        const factors = Object.entries(session ?? {}).map(([method, age]) => ({ method, age }));
        const simulation = await desk.simulate({
          ...asked,
          ...{ flow: { id, ...(version !== undefined && { version }) }, session: factors },
        });
        deps.write(json ? `${JSON.stringify(simulation, null, 2)}\n` : page(simulation));
      }),
    );

const ends = {
  finished: 'signed in',
  stuck: 'cannot go on: nothing is open to them at the last step',
  refused: 'refused',
} as const;

function page({ acr, amr, at, end, flow, reason, steps, user, version }: Simulation): string {
  const rows = steps.map(({ condition, is, method, options, rule, step }) => {
    const ways = options.map((offer) => (offer.enrol ? `${offer.method} (set up)` : offer.method));
    const said =
      condition &&
      `${condition.source.replace(/\s+/g, ' ')} is ${condition.value ?? `not known: ${condition.why}`}`;
    return [step, is, rule, ways.length > 0 ? ways.join(', ') : (method ?? ''), said ?? ''];
  });
  const told = acr === null ? '' : `; acr ${acr}, amr ${amr.join(' ')}`;
  const head = `${user.username} in ${flow}, version ${version ?? '-'}, at ${at}\n\n`;
  return `${head}${table(rows)}\n${ends[end]}${reason === null ? '' : `: ${reason}`}${told}\n`;
}
