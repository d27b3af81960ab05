import { readFileSync } from 'node:fs';
import { Argument, Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { PeopleDesk } from '../people/index.ts';
import { actor } from './actor.ts';
import type { CommandDeps } from './command.ts';
import { withSide } from './server/backend.ts';
import { askServer } from './server/control.ts';

export function userCommand(deps: CommandDeps): Command {
  const command = new Command('user').description('the accounts of people');
  accessCommands(command, deps);
  factorCommands(command, deps);
  dataCommands(command, deps);
  return command;
}

const named = (command: Command, verb: string, says: string): Command =>
  command
    .command(verb)
    .description(says)
    .argument('<name>', 'user name, confirmed e-mail address or phone number, or id');

const about = (name: string) => ({ name, by: actor() });

function accessCommands(command: Command, deps: CommandDeps): void {
  const add = (verb: string, says: string, act: (desk: PeopleDesk, name: string) => Promise<string>) =>
    named(command, verb, says).action((name: string) =>
      withDesk(deps, async (desk) => deps.write(await act(desk, name))),
    );

  add(
    'reset',
    'make the password void, sign out everywhere, and print a link with which the user chooses a new one',
    async (desk, name) => {
      const { expiresAt, url, username } = await desk.reset(about(name));
      return `The password of ${username} is void. With this link a new one is chosen, once, until ${expiresAt}:\n${url}\n`;
    },
  );
  add('disable', 'switch the account off and sign out everywhere', async (desk, name) => {
    const { changed, username } = await desk.disable(about(name));
    return changed
      ? `${username} is switched off, and signed out everywhere.\n`
      : `${username} was switched off already.\n`;
  });
  add('enable', 'switch the account on again; what was ended stays ended', async (desk, name) => {
    const { changed, username } = await desk.enable(about(name));
    return changed ? `${username} can sign in again.\n` : `${username} was switched on already.\n`;
  });
  add('unlock', 'lift every lock and wait that wrong tries have caused', async (desk, name) => {
    const { username } = await desk.unlock(about(name));
    return `${username} can try again at once.\n`;
  });
}

function factorCommands(command: Command, deps: CommandDeps): void {
  named(
    command,
    'backup-codes',
    'replace the backup codes and sign out everywhere: by ten that are printed, once, or by a list',
  )
    .argument('[file]', 'codes with commas or lines between them (10300,21390); - for standard input')
    .action((name: string, file?: string) => backupCodes(deps, name, file ?? null));
  named(
    command,
    'code',
    'switch the code by message off or on, and sign out everywhere; off counts where a flow has userMayDisable',
  )
    .addArgument(new Argument('<state>').choices(['off', 'on']))
    .option('--until <day>', 'the last day without it (2026-12-31)')
    .action((name: string, state: string, { until = null }: { until?: string | null }) =>
      withDesk(deps, async (desk) => {
        const off = state === 'off';
        const { changed, username } = await desk.code({ ...about(name), off, until: off ? until : null });
        const is = `${state}${off && until !== null ? ` until ${until}` : ''}`;
        deps.write(
          `The code by message ${changed ? 'is' : 'was'} ${is} for ${username}${changed ? '' : ' already'}.\n`,
        );
      }),
    );
}

const backupCodes = (deps: CommandDeps, name: string, file: string | null): Promise<void> =>
  withDesk(deps, async (desk) => {
    // Not as an argument: every process of the machine reads those, and shells keep them.
    const given =
      file === null ? null : readFileSync(file === '-' ? 0 : file, 'utf8').replace(/[\r\n]+/g, ',');
    const { count, made, short, username } = await desk.backupCodes({ ...about(name), given });
    const flagged = short === 0 ? '' : `, ${short} of them so short that they lock sooner`;
    deps.write(`${username} has ${count} backup codes${flagged}; those of before are void.\n`);
    if (made !== null) deps.write(`They are shown this once:\n${made.map((code) => `${code}\n`).join('')}`);
  });

function dataCommands(command: Command, deps: CommandDeps): void {
  named(command, 'export', 'print what is kept of the person, as JSON, without what opens anything').action(
    (name: string) =>
      withDesk(deps, async (desk) =>
        deps.write(`${JSON.stringify(await desk.exportData(about(name)), null, 2)}\n`),
      ),
  );
  named(command, 'delete', 'remove the account with all that belongs to it, at once and for good')
    .requiredOption('--yes', 'nothing brings it back')
    .action((name: string) =>
      withDesk(deps, async (desk) => {
        const { username } = await desk.delete(about(name));
        deps.write(
          `${username} is gone. Where users.yaml has the account, config apply makes it anew, so take it out there.\n`,
        );
      }),
    );
}

const withDesk = (deps: CommandDeps, work: (desk: PeopleDesk) => Promise<void>): Promise<void> =>
  withSide<PeopleDesk>(deps, readEnvironment(deps.variables), {
    here: (context) => context.people,
    there: (socket) => ({
      reset: (input) => askServer(socket, 'user/reset', input),
      disable: (input) => askServer(socket, 'user/disable', input),
      enable: (input) => askServer(socket, 'user/enable', input),
      unlock: (input) => askServer(socket, 'user/unlock', input),
      backupCodes: (input) => askServer(socket, 'user/backup-codes', input),
      code: (input) => askServer(socket, 'user/code', input),
      exportData: (input) => askServer(socket, 'user/export', input),
      delete: (input) => askServer(socket, 'user/delete', input),
    }),
    work,
  });
