import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStorage } from '../../src/storage/index.ts';
import { silent } from './log.ts';
import { freePort } from './port.ts';
import { databasesFolder } from './scratch.ts';

/** The database that every test's own one is a copy of: migrated, empty. */
export const TEMPLATE = 'sallyport_template';

export interface PostgresServer {
  /** URL of a database of this server. */
  url(database: string): string;
  stop(): Promise<void>;
}

/** Durability is of no use to a test; many connections are, with files side by side. */
const SETTINGS = 'fsync=off,synchronous_commit=off,full_page_writes=off,max_connections=300';

/** Starts a PostgreSQL of its own on a free port, with a migrated template database. Takes about two seconds. */
export async function startPostgres(): Promise<PostgresServer> {
  const databaseDir = mkdtempSync(join(databasesFolder(), 'postgres-'));
  const port = await freePort();
  const child = fork(
    join(import.meta.dirname, 'postgres-process.ts'),
    [databaseDir, String(port), SETTINGS, TEMPLATE],
    {
      // The flags of the test runner would make a test of it.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  const stop = async () => {
    child.ref();
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(databaseDir, { recursive: true, force: true });
  };

  const [answer] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  const { ready, reason } = (typeof answer === 'object' && answer ? answer : {}) as {
    ready?: boolean;
    reason?: string;
  };
  if (!ready) {
    await stop();
    throw new Error(`PostgreSQL did not start: ${reason ?? `exit code ${answer}`}`);
  }
  // It must not keep a test file from ending.
  child.unref();
  child.channel?.unref();

  const url = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`;
  await migrateTemplate(url(TEMPLATE));
  return { url, stop };
}

async function migrateTemplate(databaseUrl: string): Promise<void> {
  const options = { databaseUrl, dataDir: '', migrations, clock: systemClock, log: silent };
  const storage = await openStorage(options);
  await storage.migrate();
  await storage.close();
}
