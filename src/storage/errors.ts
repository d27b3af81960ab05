/** Another process holds the folder of the embedded database. */
export class DataDirInUse extends Error {
  /** Process id of the holder, or null when it could not be read. */
  readonly pid: number | null;
  /** Path of the holder's control socket, or null when it could not be read. */
  readonly socket: string | null;

  constructor(dataDir: string, holder: { pid: number; socket: string; since: string } | null) {
    const who = holder
      ? `process ${holder.pid} since ${holder.since} (control socket ${holder.socket})`
      : 'another process';
    super(
      `The data folder ${dataDir} is in use by ${who}. Stop it, or set another DATA_DIR or a DATABASE_URL.`,
    );
    this.name = 'DataDirInUse';
    this.pid = holder?.pid ?? null;
    this.socket = holder?.socket ?? null;
  }
}

/** The folder of the embedded database cannot be written, or holds something else. */
export class DataDirUnusable extends Error {
  constructor(dataDir: string, cause: Error) {
    super(`The data folder ${dataDir} cannot be used: ${cause.message}. Is it this user's to write to?`, {
      cause,
    });
    this.name = 'DataDirUnusable';
  }
}

/** The tables are not those that this version works with: older (not migrated) or newer than the code. */
export class WrongSchema extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrongSchema';
  }
}

/** A copy goes into an empty database only: rows of two gateways cannot be told apart afterwards. */
export class DatabaseNotEmpty extends Error {
  constructor(table: string) {
    super(
      `The target is not empty: its table ${table} has rows. Give an empty database; nothing was changed in this one.`,
    );
    this.name = 'DatabaseNotEmpty';
  }
}

/** A backup is cut off, was changed, or is of another kind. */
export class SnapshotBroken extends Error {
  constructor(why: string) {
    super(`The copy cannot be used: ${why}. Nothing was written.`);
    this.name = 'SnapshotBroken';
  }
}

/** Our clock and the database's stand too far apart for expiry times to mean anything. */
export class ClockSkew extends Error {
  constructor(skewMs: number) {
    super(
      `This machine's clock and the database's differ by ${(skewMs / 1000).toFixed(1)} s. Codes and sessions would expire at the wrong moment: set the clocks right (NTP).`,
    );
    this.name = 'ClockSkew';
  }
}

/** SQLSTATE: read-only after a fail-over, too many connections. Classes 08 and 57P are tested by their prefix. */
const SQLSTATE = new Set(['25006', '53300']);
const SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
/** What the drivers say without a code. */
const MESSAGES =
  /Connection terminated|connection error and is not queryable|Client was closed|timeout exceeded when trying to connect|Query read timeout|cached plan must not change result type|PGlite is clos|PGlite instance is already closed|driver has already been destroyed/;

/**
 * True when a statement failed because the database is out of reach for now, so that the same request may succeed in
 * a few seconds: callers answer 503 with Retry-After instead of 500.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isDatabaseUnavailable)) return true;
  if (MESSAGES.test(error.message)) return true;
  const { code, syscall } = error as Error & { code?: unknown; syscall?: unknown };
  if (typeof code === 'string') {
    if (code.startsWith('08') || code.startsWith('57P') || SQLSTATE.has(code)) return true;
    // A missing Unix socket is ENOENT of `connect`; a missing file is none of our business.
    if (SYSTEM.has(code) && (code !== 'ENOENT' || syscall === 'connect')) return true;
  }
  return error.cause !== undefined && error.cause !== error && isDatabaseUnavailable(error.cause);
}

/** SQLSTATE: class 28 is a wrong name or password, 3D000 a database that does not exist, 42501 a missing right. */
const REFUSALS = /^(28\w{3}|3D000|42501)$/;
/** OpenSSL's codes (DEPTH_ZERO_SELF_SIGNED_CERT) and Node's. */
const TLS = /CERT|^ERR_(TLS|SSL)/;

/** True when the server was reached and will not have us: nothing gets better by waiting, an operator has to act. */
export function isDatabaseRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as Error & { code?: unknown };
  if (typeof code === 'string' && (REFUSALS.test(code) || TLS.test(code))) return true;
  return error.message === 'The server does not support SSL connections';
}
