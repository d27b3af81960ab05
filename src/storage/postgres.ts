import { createHash } from 'node:crypto';
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import type { Logger } from '../lib/log.ts';
import { type Engine, type OnStatement, statementLog } from './engine.ts';
import type { Database } from './types.ts';
import { parsers } from './values.ts';

export interface PostgresOptions {
  url: string;
  /** Connections of this process at most, those of jobs and migrations apart. */
  size: number;
  log: Logger;
  onStatement?: OnStatement | undefined;
  /** How long a statement may take; default 15 s. */
  queryTimeoutMs?: number;
}

/** How long a request waits for a free or a new connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/**
 * Measured here and not by the server's `statement_timeout`: poolers refuse start-up parameters that they do not know,
 * and a connection whose other end has vanished without a word would hang for ever.
 */
const QUERY_TIMEOUT_MS = 15_000;
/** More different statements than this are sent unnamed: the server keeps a plan per name and connection. */
const MOST_NAMES = 500;

/** PostgreSQL by URL. Nothing is connected before the first statement. */
export function openPostgres(options: PostgresOptions): Engine {
  const { url, size, log, queryTimeoutMs = QUERY_TIMEOUT_MS } = options;
  const pool = createPool(url, size, queryTimeoutMs, log);
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool: wrapPool(pool, prepares(url) ? createNames() : () => undefined) }),
    ...statementLog(options.onStatement),
  });
  return {
    kind: 'postgres',
    db,
    pool: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount, size }),
    async withoutTimeouts(work) {
      const patient = new Kysely<Database>({
        dialect: new PostgresDialect({ pool: createPool(url, 1, 0, log) }),
      });
      try {
        return await work(patient);
      } finally {
        await patient.destroy();
      }
    },
    async jobs() {
      const own = createPool(url, 2, 0, log);
      return {
        db: { executeSql: (text, values) => own.query(text, values) },
        backend: 'postgres',
        close: () => own.end(),
      };
    },
    // The handle ends the pool only if it was ever used.
    close: async () => {
      await db.destroy();
      if (!pool.ending) await pool.end();
    },
  };
}

function createPool(url: string, max: number, queryTimeoutMs: number, log: Logger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: (oid, format) => parsers[oid] ?? pg.types.getTypeParser(oid, format) },
    ...(queryTimeoutMs > 0 && { query_timeout: queryTimeoutMs }),
  });
  // Without these two listeners a connection that the server ends, idle or at work, would end this process. The
  // statement that was under way fails by itself.
  pool.on('error', (error) => log.warn({ err: error }, 'lost an idle database connection'));
  pool.on('connect', (client) => void client.on('error', () => {}));
  return pool;
}

/** Poolers in transaction mode without `max_prepared_statements` cannot have names: `?prepared_statements=false`. */
const prepares = (url: string): boolean => !/[?&]prepared_statements=(false|off|0)\b/.test(url);

/** Hands out connections that send statements under their names, and are ended when one of them has spoilt them. */
function wrapPool(pool: pg.Pool, names: (text: string) => string | undefined): PostgresPool {
  const wrapped = new WeakMap<pg.PoolClient, ReturnType<typeof wrap>>();

  const wrap = (client: pg.PoolClient) => {
    let broken = false;
    const send = async (text: string, values: readonly unknown[], name: string | undefined) => {
      const query = { text, values: values as unknown[], ...(name && { name }) };
      try {
        return await client.query(query);
      } catch (error) {
        // The statement goes on at the server after our time-out, and plans of tables that a newer instance has
        // migrated stay wrong: such a connection is not used again.
        if (/Query read timeout|cached plan must not change/.test((error as Error).message)) broken = true;
        throw error;
      }
    };
    return {
      query: async (text: string, values: readonly unknown[]) => {
        const name = names(text);
        try {
          return await send(text, values, name);
        } catch (error) {
          const stale = name && /cached plan must not change/.test((error as Error).message);
          if (!stale || client.getTransactionStatus() !== 'I') throw error;
          return send(text, values, undefined);
        }
      },
      release: () => client.release(broken),
    };
  };

  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const known = wrapped.get(client) ?? wrap(client);
      wrapped.set(client, known);
      // Kysely asks for two overloads of `query`; the other one, cursors, is not used here.
      return known as unknown as Awaited<ReturnType<PostgresPool['connect']>>;
    },
  };
}

/**
 * Names statements from their second use in this process on: the server then parses and plans them once per connection
 * instead of each time. Undefined while one has been seen once only, is no query, or names have run out.
 */
function createNames(): (text: string) => string | undefined {
  const names = new Map<string, string | undefined>();
  return (text) => {
    if (!/^\s*(select|insert|update|delete|with)\b/i.test(text)) return undefined;
    if (!names.has(text)) {
      if (names.size < MOST_NAMES) names.set(text, undefined);
      return undefined;
    }
    const name = names.get(text) ?? `s_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
    names.set(text, name);
    return name;
  };
}
