import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from '../lib/log.ts';

/** Fastify's own remarks, in our log; each line of a request carries its `reqId`. */
export function fastifyLogger(log: Logger, bindings: object = {}): FastifyBaseLogger {
  const at =
    (level: keyof Logger) =>
    (first: unknown, message?: unknown): void => {
      if (typeof first === 'string') log[level](bindings, first);
      else if (first instanceof Error)
        log[level]({ ...bindings, err: first }, String(message ?? first.message));
      else log[level]({ ...bindings, ...(first as object) }, String(message ?? ''));
    };
  return {
    level: 'info',
    trace: at('debug'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('error'),
    silent: () => undefined,
    child: (more) => fastifyLogger(log, { ...bindings, ...more }),
  };
}
