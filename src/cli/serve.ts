import { Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { CommandDeps } from './command.ts';

export const serveCommand = (deps: CommandDeps): Command =>
  new Command('serve').description('start the gateway').action(async () => {
    await deps.serve(readEnvironment(deps.variables));
  });
