import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStorage } from '../../src/storage/index.ts';
import { silent } from './log.ts';

/** The database that every test's own one is a copy of: migrated, empty. */
export const TEMPLATE = 'sallyport_template';

export interface PostgresServer {
  /** URL of a database of this server. */
  url(database: string): string;
  stop(): Promise<void>;
}

/** The folder of this user's test runs; `test/run.js` makes it TMPDIR. The database's own user must get through it. */
export function scratchFolder(): string {
  const name = `sallyport-test-${userInfo().uid}`;
  const folder = basename(tmpdir()) === name ? tmpdir() : join(tmpdir(), name);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

/** Durability is of no use to a test; many connections are, with files side by side. */
const SETTINGS = 'fsync=off,synchronous_commit=off,full_page_writes=off,max_connections=300';

/** Starts a PostgreSQL of its own on a free port, with a migrated template database. Takes about two seconds. */
export async function startPostgres(): Promise<PostgresServer> {
  const databaseDir = mkdtempSync(join(scratchFolder(), 'postgres-'));
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
