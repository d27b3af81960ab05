/**
 * storage: the database, embedded or PostgreSQL, and what must outlive any single process: counters, revisions,
 * durable jobs, the sweeper of expired rows, migrations, copies of the whole and the lock of the data folder. Besides,
 * how statements are drawn up once and how several go out as one (`statements`).
 * Owns the tables `counters`, `revisions` and `migrations`, and the schema `pgboss`. Every other table belongs to the
 * feature that declares it in its `store.ts`; what is in them is none of this folder's business.
 * Routes: none.
 */
export { checkClock, clockSkewMs } from './clock-skew.ts';
export { readBackup, writeBackup } from './copy/file.ts';
export {
  ClockSkew,
  DatabaseNotEmpty,
  DataDirInUse,
  DataDirUnusable,
  isDatabaseRefusal,
  isDatabaseUnavailable,
  SnapshotBroken,
  WrongSchema,
} from './errors.ts';
export { openStorage, type StorageOptions } from './open.ts';
export { type Drawn, drawn, type Slot, type Slots } from './statements/drawn.ts';
export { type Guard, happened, type Rider, sendRiders, writeTogether } from './statements/together.ts';
export { json } from './values.ts';
