import type { FastifyRequest } from 'fastify';
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';

/** The process's logger, with children and levels; the parts below ask for the small `Logger` of lib only. */
export type Logger = PinoLogger;

export interface LogOptions {
  /** `trace` to `fatal`, or `silent`. */
  level: string;
  /** Default: standard output. */
  destination?: DestinationStream;
  /** Further members of each line: where in a trace it belongs. */
  ids?: () => object;
}

/**
 * Members that may hold a secret, at the top of a line or one level down. This is the second line of defence: the first
 * is that nobody hands such a value to the log.
 */
const SECRETS = [
  'authorization',
  'backupCode',
  'clientSecret',
  'client_secret',
  'code',
  'cookie',
  'jti',
  'password',
  'passwordHash',
  'phone',
  'secret',
  'set-cookie',
  'token',
  'username',
];

/** JSON lines. Errors carry their causes; requests are named by route pattern, never by URL, query or headers. */
export function createLog({ level, destination, ids }: LogOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { pid: process.pid },
    ...(ids && { mixin: ids }),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`]),
      censor: '[redacted]',
    },
    serializers: { err: describeError, error: describeError, req: describeRequest, res: describeReply },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** The pattern `/otp/:token/:code` says where; what stood in its place may be a secret. */
function describeRequest(request: FastifyRequest): object {
  return {
    id: request.id,
    method: request.method,
    route: request.routeOptions?.url ?? 'none',
    ip: request.ip,
  };
}

const describeReply = (reply: { statusCode?: number }): object => ({ status: reply.statusCode });

/** Members that errors of our libraries carry and that say what happened; others may hold parameters of a statement. */
const TOLD = ['status', 'syscall', 'address', 'port', 'constraint', 'table', 'column', 'severity'];

/**
 * An error as what is worth reading: type, message, stack, cause. PostgreSQL puts the values of a row into `detail` and
 * drivers the parameters into members of their own, so only known members are taken.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const told = error as unknown as Record<string, unknown>;
  return {
    type: error.name,
    message: error.message,
    // Not `code`: a member of that name is taken out, because it may be somebody's one-time code.
    errorCode: told.code,
    ...Object.fromEntries(TOLD.filter((name) => told[name] !== undefined).map((name) => [name, told[name]])),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}
