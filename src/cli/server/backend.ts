import type { Configuration, Environment } from '../../config/types.ts';
import { DataDirInUse } from '../../storage/index.ts';
import type { CommandContext, CommandDeps } from '../command.ts';
import { askServer } from './control.ts';

/**
 * Does `work` on the database: opened here, or through the server that holds the embedded one. Throws what is wrong
 * with the database's tables before anything is done.
 */
export async function withSide<Side>(
  deps: CommandDeps,
  environment: Environment,
  sides: {
    here(context: CommandContext): Side | Promise<Side>;
    /** Over the socket of the server. */
    there(socket: string): Side;
    work(side: Side): Promise<void>;
  },
): Promise<void> {
  let context: CommandContext;
  try {
    context = await deps.createContext(environment);
  } catch (error) {
    if (!(error instanceof DataDirInUse) || error.socket === null) throw error;
    return sides.work(sides.there(error.socket));
  }
  try {
    await context.storage.ready();
    await sides.work(await sides.here(context));
  } finally {
    await context.close();
  }
}

/** Where the configuration of the database is to be had: from the database, or from the server that holds it. */
export type Backend = Pick<Configuration, 'check' | 'diff' | 'apply' | 'export'>;

export const withBackend = (
  deps: CommandDeps,
  environment: Environment,
  work: (backend: Backend) => Promise<void>,
): Promise<void> =>
  withSide<Backend>(deps, environment, {
    here: (context) => context.configuration,
    there: serverBackend,
    work,
  });

const serverBackend = (socket: string): Backend => ({
  check: (documents, { prune }) => askServer(socket, 'config/check', { documents, prune }),
  diff: (documents) => askServer(socket, 'config/diff', { documents }),
  apply: (documents, { prune }) => askServer(socket, 'config/apply', { documents, prune }),
  export: () => askServer(socket, 'config/export', {}),
});
