import type { LogEvent } from 'kysely';
import type { Db as JobsDatabase } from 'pg-boss';
import type { Db, PoolState } from './types.ts';

/** One statement that has ended: its text, without the values of its parameters, and what it failed with. */
export type OnStatement = (statement: { text: string; ms: number; error: unknown }) => void;

/** Kysely's `log`: nothing at all unless somebody listens. */
export const statementLog = (onStatement: OnStatement | undefined) =>
  onStatement && {
    log: (event: LogEvent) =>
      onStatement({
        text: event.query.sql,
        ms: event.queryDurationMillis,
        error: event.level === 'error' ? event.error : undefined,
      }),
  };

/** What the rest of the folder needs of a database; one value for the embedded one, one for a server. */
export interface Engine {
  kind: 'embedded' | 'postgres';
  db: Db;
  /** Null for the embedded database, which has no connections. */
  pool(): PoolState | null;
  /** Runs `work` on a handle whose statements may take as long as they need: migrations, upkeep. */
  withoutTimeouts<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** A connection of its own for the jobs library, so that its polling never waits behind logins nor they behind it. */
  jobs(): Promise<{ db: JobsDatabase; backend: 'postgres' | 'pglite'; close(): Promise<void> }>;
  close(): Promise<void>;
}
