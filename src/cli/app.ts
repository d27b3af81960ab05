import { Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { AppPage } from '../oidc/types.ts';
import type { CommandDeps } from './command.ts';
import { withSide } from './server/backend.ts';
import { askServer } from './server/control.ts';

export function appCommand(deps: CommandDeps): Command {
  const command = new Command('app').description('applications that sign their users in here');
  command
    .command('show')
    .description('what its developers have to know: addresses, and settings for common libraries')
    .argument('<id>', 'the client_id')
    .action((id: string) =>
      withSide<(id: string) => Promise<AppPage>>(deps, readEnvironment(deps.variables), {
        here: (context) => context.describeApp,
        there: (socket) => (name) => askServer(socket, 'app/show', { id: name }),
        work: async (describe) => deps.write(page(await describe(id))),
      }),
    );
  return command;
}

function page(app: AppPage): string {
  const sections = [
    `${app.name} (${app.id})${app.enabled ? '' : ', switched off'}\n\n${table(app.facts)}`,
    `Redirect addresses, compared to the letter\n${list(app.redirectUris)}`,
    `Scopes\n${list(app.scopes)}`,
    `acr, how sure a sign-in is; ask for one with acr_values\n${table(app.acr)}`,
    `amr, what was done for it\n${table(app.amr)}`,
    ...app.libraries.map(({ name, settings, needs }) => {
      const remarks = needs.length === 0 ? '' : `The app's entry needs:\n${list(needs)}\n`;
      return `--- ${name}\n${remarks}${settings}`;
    }),
  ];
  return sections.join('\n');
}

const list = (lines: string[]): string => lines.map((line) => `  ${line}\n`).join('');

function table(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('');
}
