import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { Environment } from '../config/types.ts';
import type { Unreadable } from '../crypto/types.ts';
import { readBackup, writeBackup } from '../storage/index.ts';
import { type CommandContext, type CommandDeps, CommandFailure } from './command.ts';

export function databaseCommand(deps: CommandDeps): Command {
  const command = new Command('database').description('the database as a whole');
  command
    .command('move')
    .description('copy the embedded database to an empty PostgreSQL')
    .requiredOption('--to <url>', 'postgres://user:password@host/database')
    .action(({ to }: { to: string }) => move(deps, to));
  command
    .command('backup')
    .description('write everything to a file; the key that seals secrets is not in it')
    .argument('<file>', 'a file that does not exist yet')
    .action((file: string) => backup(deps, resolve(file)));
  command
    .command('restore')
    .description('fill an empty database from a backup of this version or an older one')
    .argument('<file>', 'what "database backup" wrote')
    .action((file: string) => restore(deps, resolve(file)));
  command
    .command('discard-sealed')
    .description('remove what a lost SECRET_KEY leaves unreadable; without --yes only lists it')
    .option('--yes', 'remove it')
    .action(({ yes }: { yes?: true }) => discard(deps, yes ?? false));
  return command;
}

async function move(deps: CommandDeps, url: string): Promise<void> {
  const source = readEnvironment({ ...deps.variables, DATABASE_URL: undefined });
  demandPresent(source);
  const keyFile = join(source.dataDir, 'secret.key');
  // The sealed rows go over as they are, so the target needs the same key; this also refuses a URL that is none.
  const target = readEnvironment({
    ...deps.variables,
    DATABASE_URL: url,
    ...(source.secretKeys === null && { SECRET_KEY_FILE: keyFile }),
  });
  const rows = await within(deps, source, async (from) => {
    await from.storage.ready();
    const unreadable = await from.sealed.unreadable();
    if (unreadable !== null) {
      throw new CommandFailure(`SECRET_KEY is not the one of this database. ${listed(unreadable)}`);
    }
    return within(deps, target, (to) => from.storage.snapshot((snapshot) => to.storage.restore(snapshot)));
  });
  const { host, pathname } = new URL(url);
  const key =
    source.secretKeys === null
      ? `  SECRET_KEY_FILE=${keyFile}\n(or SECRET_KEY with what that file holds; keep it apart from the database)`
      : '  the SECRET_KEY that you use now';
  deps.write(
    `Copied ${rows} rows to ${host}${pathname}, each table with its count verified.\n` +
      `Start the gateway from now on with DATABASE_URL set to that database and\n${key}\n` +
      `${source.dataDir} was left as it is: remove it when the new one works, and do not start both.\n`,
  );
}

async function backup(deps: CommandDeps, file: string): Promise<void> {
  const environment = readEnvironment(deps.variables);
  demandPresent(environment);
  const rows = await within(deps, environment, async ({ storage }) => {
    await storage.ready();
    return storage.snapshot((snapshot) => writeBackup(file, snapshot));
  });
  deps.write(`Wrote ${rows} rows to ${file}. Without SECRET_KEY it is of little use: keep that elsewhere.\n`);
}

async function restore(deps: CommandDeps, file: string): Promise<void> {
  await within(deps, readEnvironment(deps.variables), async ({ storage, sealed }) => {
    const rows = await readBackup(file, (snapshot) => storage.restore(snapshot));
    deps.write(`Restored ${rows} rows.\n`);
    const unreadable = await sealed.unreadable();
    if (unreadable !== null)
      deps.writeError(`SECRET_KEY is not the one of the backup. ${listed(unreadable)}\n`);
  });
}

async function discard(deps: CommandDeps, yes: boolean): Promise<void> {
  const environment = readEnvironment(deps.variables);
  demandPresent(environment);
  await within(deps, environment, async ({ storage, sealed }) => {
    await storage.ready();
    const found = yes ? await sealed.discard() : await sealed.unreadable();
    if (found === null) {
      deps.write('SECRET_KEY opens everything: nothing to discard.\n');
    } else if (!yes) {
      deps.write(
        `${listed(found)}\nIf the key is lost for good, stop every instance and run this again with --yes.\n`,
      );
    } else {
      deps.write(
        `Removed. ${listed(found)}\nThe next start makes new signing keys. Apply the providers again from their files (sallyport config apply), and give users new backup codes.\n`,
      );
    }
  });
}

/** A missing folder would become a new and empty database. */
function demandPresent({ databaseUrl, dataDir }: Environment): void {
  if (databaseUrl !== null || dataDir.includes('://') || existsSync(join(dataDir, 'db'))) return;
  throw new CommandFailure(`There is no embedded database in ${dataDir}: set DATA_DIR or DATABASE_URL.`);
}

async function within<T>(
  deps: CommandDeps,
  environment: Environment,
  work: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const context = await deps.createContext(environment);
  try {
    return await work(context);
  } finally {
    await context.close();
  }
}

const listed = ({ keyIds, lost }: Unreadable): string =>
  `Sealed under ${keyIds.join(', ')}: ${lost.map(({ what, count }) => `${what}: ${count}`).join(', ')}.`;
