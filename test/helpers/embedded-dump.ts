import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect } from 'kysely';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { migrate } from '../../src/storage/migrate.ts';
import type { Database } from '../../src/storage/types.ts';
import { scratchFolder } from './postgres-server.ts';

/** Dumps of older migrations are 40 MB each. */
const DAY_MS = 86_400_000;

/**
 * A migrated, empty embedded database as a dump: loading it takes a fraction of creating one. It is kept in the scratch
 * folder under a hash of the migrations and the library's version, and made again when either changes.
 */
export async function embeddedDump(): Promise<Blob> {
  const file = join(scratchFolder(), `embedded-${fingerprint()}.tar`);
  if (!existsSync(file)) await makeDump(file);
  return new Blob([readFileSync(file)]);
}

async function makeDump(file: string): Promise<void> {
  const pglite = await PGlite.create('memory://');
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) });
  await migrate(db, migrations, systemClock);
  const dump = await pglite.dumpDataDir('none');
  await db.destroy();
  // Another test file may be doing the same: whoever comes last replaces the same bytes as a whole.
  writeFileSync(`${file}.${process.pid}`, Buffer.from(await dump.arrayBuffer()));
  renameSync(`${file}.${process.pid}`, file);
  for (const name of readdirSync(dirname(file))) {
    const other = join(dirname(file), name);
    if (name.startsWith('embedded-') && Date.now() - statSync(other).mtimeMs > DAY_MS) rmSync(other);
  }
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const folder = join(import.meta.dirname, '../../migrations');
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)));
  const library = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  hash.update(readFileSync(join(dirname(library), '../package.json')));
  return hash.digest('hex').slice(0, 16);
}
