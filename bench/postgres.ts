import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../test/helpers/port.ts';

/** A database server. `pid` is null for one that was given by `DATABASE_URL`: its CPU time cannot be read. */
export interface Postgres {
  pid: number | null;
  version: string;
  /** A new, empty database; dropped when the server stops. */
  database(name: string): Promise<string>;
  /** The URL of a database made before. */
  known(name: string): string;
  stop(): Promise<void>;
}

/** Uses the server of `databaseUrl`, or starts one. */
export async function startPostgres(databaseUrl: string | undefined): Promise<Postgres> {
  const server =
    databaseUrl === undefined ? await startEmbedded() : { url: databaseUrl, pid: null, stop: async () => {} };
  const made: string[] = [];
  const [{ server_version: version } = { server_version: '' }] = await ask<{ server_version: string }>(
    server.url,
    'show server_version',
  );
  const urlOf = (suffix: string) => {
    const url = new URL(server.url);
    url.pathname = `/sallyport_bench_${suffix}`;
    return url.href;
  };
  return {
    pid: server.pid,
    known: urlOf,
    version: version.split(' ')[0] ?? '',
    async database(suffix) {
      const name = `sallyport_bench_${suffix}`;
      await ask(server.url, `drop database if exists ${name}`);
      await ask(server.url, `create database ${name}`);
      made.push(name);
      return urlOf(suffix);
    },
    async stop() {
      for (const name of made) await ask(server.url, `drop database if exists ${name} with (force)`);
      await server.stop();
    },
  };
}

/** One statement on a connection of its own. */
export async function ask<Row>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** One program for tests and bench. */
const postgresProcess = join(import.meta.dirname, '../test/helpers/postgres-process.ts');
/** As delivered, but for the connections: what is measured has to survive a power cut. */
const settings = 'max_connections=200';

async function startEmbedded() {
  // The database's own user must be able to enter the folder.
  const scratch = join(tmpdir(), `sallyport-bench-${userInfo().uid}`);
  mkdirSync(scratch, { recursive: true, mode: 0o711 });
  const folder = mkdtempSync(join(scratch, 'postgres-'));
  const port = await freePort();
  const child = fork(postgresProcess, [folder, String(port), settings], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const stop = async () => {
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  };
  const [answer] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
    { ready?: boolean; reason?: string } | number | null,
  ];
  if (typeof answer !== 'object' || !answer?.ready) {
    await stop();
    throw new Error(`PostgreSQL did not start: ${typeof answer === 'object' ? answer?.reason : answer}`);
  }
  return { url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`, pid: child.pid ?? null, stop };
}
