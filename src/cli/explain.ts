import { ConfigurationError } from '../config/index.ts';
import { SealBroken, SecretsUnreadable } from '../crypto/index.ts';
import { Problem } from '../lib/problem.ts';
import {
  ClockSkew,
  DatabaseNotEmpty,
  DataDirInUse,
  DataDirUnusable,
  isDatabaseRefusal,
  isDatabaseUnavailable,
  SnapshotBroken,
  WrongSchema,
} from '../storage/index.ts';
import { CommandFailure } from './command.ts';

/** What an operator reads of a failure: its sentence when it was foreseen, everything when it was not. */
export function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return listFaults(error.faults);
  if (error instanceof Problem && error.errors.length > 0) return listFaults(error.errors);
  if (!(error instanceof Error)) return String(error);
  const foreseen = [
    CommandFailure,
    Problem,
    DataDirInUse,
    DataDirUnusable,
    WrongSchema,
    ClockSkew,
    SealBroken,
    SecretsUnreadable,
    DatabaseNotEmpty,
    SnapshotBroken,
  ];
  if (foreseen.some((kind) => error instanceof kind)) return error.message;
  if (isDatabaseUnavailable(error)) return `The database is out of reach: ${sentence(error)}`;
  if (isDatabaseRefusal(error)) return `The database refuses: ${error.message}`;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined) return sentence(error);
  return error.stack ?? error.message;
}

const sentence = (error: Error): string =>
  error instanceof AggregateError ? error.errors.map((one: Error) => one.message).join('; ') : error.message;

function listFaults(faults: { path: string; message: string }[]): string {
  const lines = faults.map(({ path, message }) => `${path}: ${message}`);
  return [...lines, faults.length === 1 ? '1 fault' : `${faults.length} faults`].join('\n');
}
