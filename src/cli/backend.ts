import type { Configuration, Environment } from '../config/types.ts';
import { DataDirInUse } from '../storage/index.ts';
import type { CommandDeps } from './command.ts';
import { askServer } from './control.ts';

/** Where the configuration of the database is to be had: from the database, or from the server that holds it. */
export type Backend = Pick<Configuration, 'check' | 'diff' | 'apply' | 'export'>;

export async function withBackend(
  deps: CommandDeps,
  environment: Environment,
  work: (backend: Backend) => Promise<void>,
): Promise<void> {
  let context: Awaited<ReturnType<CommandDeps['createContext']>>;
  try {
    context = await deps.createContext(environment);
  } catch (error) {
    if (!(error instanceof DataDirInUse) || error.socket === null) throw error;
    return work(serverBackend(error.socket));
  }
  try {
    await context.storage.ready();
    await work(context.configuration);
  } finally {
    await context.close();
  }
}

const serverBackend = (socket: string): Backend => ({
  check: (documents, { prune }) => askServer(socket, 'config/check', { documents, prune }),
  diff: (documents) => askServer(socket, 'config/diff', { documents }),
  apply: (documents, { prune }) => askServer(socket, 'config/apply', { documents, prune }),
  export: () => askServer(socket, 'config/export', {}),
});
