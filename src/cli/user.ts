import { Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { PeopleDesk } from '../people/index.ts';
import { actor } from './actor.ts';
import type { CommandDeps } from './command.ts';
import { withSide } from './server/backend.ts';
import { askServer } from './server/control.ts';

export function userCommand(deps: CommandDeps): Command {
  const command = new Command('user').description('the accounts of people');
  const about = (name: string) => ({ name, by: actor() });
  const add = (verb: string, says: string, act: (desk: PeopleDesk, name: string) => Promise<string>) =>
    command
      .command(verb)
      .description(says)
      .argument('<name>', 'user name, confirmed e-mail address or phone number, or id')
      .action((name: string) => withDesk(deps, async (desk) => deps.write(await act(desk, name))));

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
  return command;
}

const withDesk = (deps: CommandDeps, work: (desk: PeopleDesk) => Promise<void>): Promise<void> =>
  withSide<PeopleDesk>(deps, readEnvironment(deps.variables), {
    here: (context) => context.people,
    there: (socket) => ({
      reset: (about) => askServer(socket, 'user/reset', about),
      disable: (about) => askServer(socket, 'user/disable', about),
      enable: (about) => askServer(socket, 'user/enable', about),
      unlock: (about) => askServer(socket, 'user/unlock', about),
    }),
    work,
  });
