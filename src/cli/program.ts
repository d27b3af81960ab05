import { Command, CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { appCommand } from './app.ts';
import type { CommandDeps } from './command.ts';
import { configCommand } from './config.ts';
import { databaseCommand } from './database.ts';
import { messageCommand } from './delivery/message.ts';
import { providerCommand } from './delivery/provider.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { explain } from './explain.ts';
import { flowCommand } from './flow/command.ts';
import { keysCommand } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { serveCommand } from './serve.ts';
import { userCommand } from './user.ts';

/** Every command, each in a file of its name. */
const commands = [
  serveCommand,
  migrateCommand,
  configCommand,
  keysCommand,
  appCommand,
  providerCommand,
  messageCommand,
  flowCommand,
  userCommand,
  databaseCommand,
  doctorCommand,
  demoCommand,
];

/** Runs the command that `args` name. Answers the exit code: 0, 1 for a failure, 2 for wrong usage. */
export async function run(args: string[], deps: CommandDeps): Promise<number> {
  const program = new Command('sallyport')
    .description(packageFile.description)
    .version(packageFile.version)
    // Behind a command, --version is the command's own.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: deps.write, writeErr: deps.writeError });
  for (const create of commands) program.addCommand(inherit(program, create(deps)));
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    deps.writeError(`${explain(error)}\n`);
    return 1;
  }
}

/** Commands made apart from their program do not take over how it ends and where it writes. */
function inherit(parent: Command, command: Command): Command {
  command.copyInheritedSettings(parent);
  for (const below of command.commands) inherit(command, below as Command);
  return command;
}
