import { join } from 'node:path';
import { Kysely, PGliteDialect } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import { type Engine, type OnStatement, statementLog } from './engine.ts';
import { lockFolder } from './folder-lock.ts';
import type { Database } from './types.ts';
import { parsers } from './values.ts';

export interface EmbeddedOptions {
  /** Folder that holds the lock and, in `db`, the database; `memory://` keeps everything in memory, without a lock. */
  dataDir: string;
  clock: Clock;
  onStatement?: OnStatement | undefined;
}

/**
 * PostgreSQL in this process. It has one connection: transactions run one after the other, and a query on the outer
 * handle inside one never returns. The library is loaded here and not before, for whoever has a real server.
 */
export async function openEmbedded({ dataDir, clock, onStatement }: EmbeddedOptions): Promise<Engine> {
  const inMemory = dataDir === 'memory://';
  const lock = inMemory ? undefined : lockFolder(dataDir, clock.now());
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    const pglite = await PGlite.create({
      dataDir: inMemory ? dataDir : join(dataDir, 'db'),
      parsers,
    });
    const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }), ...statementLog(onStatement) });
    return {
      kind: 'embedded',
      db,
      pool: () => null,
      withoutTimeouts: (work) => work(db),
      jobs: async () => ({
        db: (await import('pg-boss')).fromPglite(pglite),
        backend: 'pglite',
        close: async () => {},
      }),
      async close() {
        await db.destroy();
        if (!pglite.closed) await pglite.close();
        lock?.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}
