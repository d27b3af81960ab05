import type { Kysely, RawBuilder, Transaction } from 'kysely';
import type { Rider } from './statements/together.ts';

/**
 * All tables. Each feature folder declares its own by augmenting this interface in its `store.ts`:
 * `declare module '../storage/types.ts' { interface Database { users: UsersTable } }`.
 */
export interface Database {
  counters: CountersTable;
  revisions: RevisionsTable;
  migrations: MigrationsTable;
}

interface CountersTable {
  key: string;
  /** Number of the newest slot since the epoch. */
  newest: number;
  /** Counts of the last slots, the newest last. */
  counts: number[];
  expires_at: Date;
}

interface RevisionsTable {
  topic: string;
  n: number;
}

interface MigrationsTable {
  name: string;
  applied_at: Date;
}

/** A handle for queries: the pool, or an open transaction. Store functions take it first. */
export type Db = Kysely<Database>;

/** An open transaction. A function that asks for `Tx` must not be called with the outer handle. */
export type Tx = Transaction<Database>;

/** Atomic sliding-window counters, in the database, without a row that all logins share. */
export interface Counters {
  /**
   * Adds `by` (default 1) to the counter and answers how many fell into the window that ends at `now`. The count is
   * committed by itself, whatever becomes of the caller's work. A negative `by` gives one back: hand over the `now`
   * of the `add` that is undone. The window slides by slots of a twentieth of `windowMs` that count whole: at most
   * that much too strict, never too lax. Never call it inside a transaction.
   */
  add(key: string, windowMs: number, now: Date, by?: number): Promise<number>;
  /**
   * {@link add} as a part of another statement, which has its answer as `total`: for giving one back with what it was
   * counted for, or for counting only what another part has done (`when`: as a value of that statement).
   */
  adding(key: string, windowMs: number, now: Date, by: number, when?: RawBuilder<boolean>): Rider;
  /** Reads without counting. */
  peek(key: string, windowMs: number, now: Date): Promise<number>;
}

/** Tells every instance within about a second that something it caches has changed. */
export interface Revisions {
  /** Raises the topic's number; part of the transaction that makes the change. */
  bump(db: Db, topic: string): Promise<void>;
  /** The number this process last saw; 0 before the first. Costs no query. */
  current(topic: string): number;
  /** Calls back after the topic has changed, in this process or another. Returns the way to stop. */
  watch(topic: string, onChange: () => void): () => void;
  /** Looks at once instead of waiting for the next tick. */
  refresh(): Promise<void>;
}

/** One kind of rows that the sweeper removes. */
export interface Sweep {
  table: keyof Database & string;
  /** Column with the moment after which a row is of no use. Default `expires_at`. */
  column?: string;
  /** How long after that moment it is kept, in milliseconds, asked at each sweep; null: for ever. Default 0. */
  keptMs?(): number | null;
}

/** Rows that are about one person, for when that person's account is deleted. */
export interface PersonalRows {
  table: keyof Database & string;
  /** Column with the user's id. Default `user_id`. */
  column?: string;
  /** The rows stay, without what stands in these columns. Default: they go. */
  emptied?: string[];
}

/** Work on a schedule, on pg-boss. Never on the way of a login. */
export interface Jobs {
  /** Declares a queue with its handler; before `start()`. The handler must be idempotent. */
  define(queue: string, handler: () => Promise<void>): void;
  /** Runs a queue on a cron schedule (UTC), once over all instances. */
  schedule(queue: string, cron: string): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One table of a {@link Snapshot}. */
export interface SnapshotTable {
  name: string;
  count: number;
  /** Batches of rows, each as the JSON text of an object; read once, and in the order of the tables. */
  rows(): AsyncIterable<string[]>;
}

/** Everything that a database holds at one moment. */
export interface Snapshot {
  /** Names of the migrations that made the tables. */
  migrations: string[];
  /** Each behind those that it refers to. */
  tables: SnapshotTable[];
}

/** Connections of this process to PostgreSQL, those of jobs and migrations apart. */
export interface PoolState {
  open: number;
  idle: number;
  /** Statements that wait for a connection. */
  waiting: number;
  /** Connections at most. */
  size: number;
}

export interface Storage {
  kind: 'embedded' | 'postgres';
  db: Db;
  /** Null for the embedded database. */
  pool(): PoolState | null;
  /** Runs `work` in one transaction. Inside it every query must go through `tx`. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  counters: Counters;
  revisions: Revisions;
  jobs: Jobs;
  /** Registers rows for the sweeper. */
  sweep(...sweeps: Sweep[]): void;
  /** Removes expired rows now, in bounded batches; safe on many instances at once. Answers how many went. */
  sweepNow(now: Date): Promise<number>;
  /** Applies what is missing, under an advisory lock. Answers the names applied. */
  migrate(): Promise<string[]>;
  /** Reads everything as it is at one moment; whoever writes meanwhile is not held up. */
  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /**
   * Fills an empty database from a snapshot of this version or an older one, and migrates it to this one. Answers the
   * number of rows. Throws `DatabaseNotEmpty`, `WrongSchema` or `SnapshotBroken`; it then holds no row.
   */
  restore(snapshot: Snapshot): Promise<number>;
  /** Throws unless the database answers and every migration is applied. */
  ready(): Promise<void>;
  /** Starts the timers (revisions, sweeper, jobs). Not called by one-off commands. */
  start(): Promise<void>;
  close(): Promise<void>;
}
