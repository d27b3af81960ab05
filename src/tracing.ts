import type { AuditEvent } from './audit/types.ts';
import type { Environment } from './config/types.ts';
import type { Passwords } from './crypto/types.ts';
import type { StorageOptions } from './storage/index.ts';
import { createLog, type Logger, type LogOptions, openTracer } from './telemetry/index.ts';
import type { Facts, Tracer } from './telemetry/types.ts';

/** The log, and traces where they are wanted: each line then says where in a trace it belongs. */
export async function openLog(
  { logLevel, tracing }: Environment,
  { logDestination, traced = false }: { logDestination?: LogOptions['destination']; traced?: boolean },
): Promise<{ log: Logger; tracer: Tracer | null }> {
  const complain = (err: Error) => log.warn({ err }, 'the collector takes no traces');
  const tracer = traced && tracing !== null ? await openTracer(tracing, complain) : null;
  const log: Logger = createLog({
    level: logLevel,
    ...(tracer && { ids: tracer.ids }),
    ...(logDestination && { destination: logDestination }),
  });
  return { log, tracer };
}

/** What a request waits for when a password is looked at: its turn, and the hash. */
export function tracedPasswords<P extends Passwords>(passwords: P, tracer: Tracer | null): P {
  if (tracer === null) return passwords;
  return {
    ...passwords,
    hash: (password) => tracer.span('hash password', {}, () => passwords.hash(password)),
    verify: (stored, password) =>
      tracer.span('verify password', {}, () => passwords.verify(stored, password)),
  };
}

/** Statements as they were sent, with `$1` where a value was. */
export const statementSpans = (tracer: Tracer | null): StorageOptions['onStatement'] =>
  tracer === null
    ? undefined
    : ({ text, ms, error }) => {
        const summary = summaryOf(text);
        const facts = {
          'db.system.name': 'postgresql',
          'db.query.text': text,
          'db.query.summary': summary,
        };
        tracer.ended(summary, { kind: 'client', facts }, ms, error);
      };

/** `select users`: what the statement does, and the first table in it. */
function summaryOf(text: string): string {
  const verb = /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? 'statement';
  // Quoted is what the query builder wrote: the statement itself, and not a part that was put into it as text.
  const [, table] =
    /\b(?:from|into|update) "(\w+)"/.exec(text) ?? /\b(?:from|into|update)\s+(\w+)/i.exec(text) ?? [];
  return table === undefined ? verb : `${verb} ${table}`;
}

/** Members of an event that say how and where, never who. */
const told = ['step', 'method', 'flow', 'provider', 'channel', 'purpose'];

/** Steps of a login and messages, as events of the span in which they happen; the span then knows its login. */
export function tellEvent(tracer: Tracer, { name, appId, loginId, result, data = {} }: AuditEvent): void {
  const facts: Facts = { 'sallyport.result': result };
  for (const member of told) facts[`sallyport.${member}`] = data[member];
  tracer.event(name, facts);
  tracer.tell({ 'sallyport.login': loginId, 'sallyport.app': appId });
}
