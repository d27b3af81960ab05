/**
 * telemetry: what the process tells its operator while it runs: the log, with whatever could be a secret taken out.
 * It does not own the audit record (audit/), which is data and lives in the database.
 * Routes: none.
 */
export { createLog, type Logger, type LogOptions } from './log.ts';
