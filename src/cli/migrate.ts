import { Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { CommandDeps } from './command.ts';

export const migrateCommand = (deps: CommandDeps): Command =>
  new Command('migrate')
    .description('bring the tables of the database up to this version')
    .action(async () => {
      const context = await deps.createContext(readEnvironment(deps.variables));
      try {
        const applied = await context.storage.migrate();
        deps.write(
          applied.length === 0 ? 'Nothing to do.\n' : applied.map((name) => `applied ${name}\n`).join(''),
        );
      } finally {
        await context.close();
      }
    });
