import { Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { KeyRotation, KeyState, RotateHow } from '../crypto/types.ts';
import { type CommandDeps, CommandFailure } from './command.ts';
import { withSide } from './server/backend.ts';
import { askServer } from './server/control.ts';

type Keys = Pick<KeyRotation, 'list' | 'rotate'>;

export function keysCommand(deps: CommandDeps): Command {
  const command = new Command('keys').description('the keys that sign tokens');
  command
    .command('list')
    .description('show them: which one signs, which one is next')
    .action(() => withKeys(deps, async (keys) => deps.write(table(await keys.list()))));
  command
    .command('rotate')
    .description('let the next keys sign; every running instance takes them up within seconds')
    .option('--now', 'also when they were published too recently for every application to know them')
    .option('--leaked', 'make new keys that sign at once, and publish none of the present ones any longer')
    .action((options: { now?: true; leaked?: true }) => rotate(deps, howOf(options)));
  return command;
}

function howOf({ now, leaked }: { now?: true; leaked?: true }): RotateHow {
  if (now && leaked) throw new CommandFailure('Say either --now or --leaked.');
  if (leaked) return 'leaked';
  return now ? 'now' : 'planned';
}

const withKeys = (deps: CommandDeps, work: (keys: Keys) => Promise<void>): Promise<void> =>
  withSide<Keys>(deps, readEnvironment(deps.variables), {
    async here(context) {
      await context.settings.load();
      return context.keys;
    },
    there: (socket) => ({
      list: () => askServer(socket, 'keys/list', {}),
      rotate: (how) => askServer(socket, 'keys/rotate', { how }),
    }),
    work,
  });

const rotate = (deps: CommandDeps, how: RotateHow): Promise<void> =>
  withKeys(deps, async (keys) => {
    const before = signing(await keys.list());
    const after = await keys.rotate(how);
    const changed = signing(after) !== before;
    deps.write(changed ? 'Rotated: the next keys sign.\n' : waiting(after));
    if (how === 'leaked') {
      deps.write(
        'What the keys before have signed is refused from now on. If SECRET_KEY is known too, change it.\n',
      );
    }
    deps.write(table(after));
  });

const signing = (keys: KeyState[]): string =>
  keys
    .filter(({ state }) => state === 'signing')
    .map(({ kid }) => kid)
    .join(' ');

function waiting(keys: KeyState[]): string {
  const from = keys.find(({ state }) => state === 'next')?.signsFrom ?? 'soon';
  return `The next keys were published only recently, and not every application may know them: they sign from ${from} on. To go ahead, say --now.\n`;
}

const table = (keys: KeyState[]): string =>
  keys
    .map(({ alg, state, kid, signsFrom }) => {
      const since = state === 'next' ? 'signs from' : 'since';
      return `${alg}  ${state.padEnd(7)}  ${kid}  ${since} ${signsFrom}\n`;
    })
    .join('');
