import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createContext } from './app.ts';
import type { Environment } from './config/types.ts';
import { SecretsUnreadable } from './crypto/index.ts';
import { createLog } from './telemetry/index.ts';

const lookEveryMs = 10_000;

/**
 * Starts, and waits where starting again and again would change nothing: while `SECRET_KEY` does not open the database.
 * The process then lives, answers every request 503, and goes on by itself once the database can be read.
 */
export async function whenReadable<T>(environment: Environment, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof SecretsUnreadable)) throw error;
    createLog({ level: environment.logLevel }).fatal(error.message);
  }
  const closed = await answerUnavailable(environment);
  while (await stillUnreadable(environment)) await delay(lookEveryMs);
  await closed();
  return start();
}

/** The database may be out of reach, or held by the very command that mends it: then it is looked at again. */
async function stillUnreadable(environment: Environment): Promise<boolean> {
  try {
    const context = await createContext({ ...environment, logLevel: 'silent' });
    try {
      return (await context.sealed.unreadable()) !== null;
    } finally {
      await context.close();
    }
  } catch {
    return true;
  }
}

/** Says to orchestrators that the process lives and cannot work, and to people as much as concerns them. */
async function answerUnavailable({ port, host }: Environment): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    const alive = request.url === '/healthz';
    response.writeHead(alive ? 200 : 503, {
      'content-type': 'text/plain; charset=utf-8',
      connection: 'close',
      ...(!alive && { 'retry-after': String(lookEveryMs / 1000) }),
    });
    response.end(alive ? 'ok\n' : 'Signing in is not possible at the moment.\n');
  });
  server.listen(port, host);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}
