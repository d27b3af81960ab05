import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { sql } from 'kysely';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStorage } from '../../src/storage/index.ts';
import { silent } from './log.ts';
import { databasesFolder } from './scratch.ts';

/** Seeds of older migrations, and copies that killed tests have left, are 40 MB each. */
const longestMs = { seed: 86_400_000, copy: 3_600_000 };

/** With the tables of all migrations and no row in them, or without any table. */
type Seed = 'migrated' | 'blank';

/**
 * A data folder with an embedded database: a copy of files takes a tenth of creating one. The original is kept under a
 * hash of the migrations and the library's version, and made again when either changes.
 */
export async function plantedFolder(kind: Seed = 'migrated'): Promise<string> {
  const folder = mkdtempSync(join(databasesFolder(), 'copy-'));
  cpSync(join(await embeddedSeed(kind), 'db'), join(folder, 'db'), { recursive: true });
  return folder;
}

/** The original; makes it where there is none. */
export async function embeddedSeed(kind: Seed = 'migrated'): Promise<string> {
  const seed = join(databasesFolder(), `seed-${kind}-${fingerprint()}`);
  if (!existsSync(seed)) await makeSeed(kind, seed);
  return seed;
}

async function makeSeed(kind: Seed, seed: string): Promise<void> {
  const dataDir = mkdtempSync(`${seed}-`);
  const options = { databaseUrl: null, dataDir, migrations, clock: systemClock, log: silent };
  const storage = await openStorage(options);
  if (kind === 'migrated') await storage.migrate();
  // What is in its files need not be recovered from its log by everybody who opens a copy.
  await sql`checkpoint`.execute(storage.db);
  await storage.close();
  try {
    renameSync(dataDir, seed);
  } catch (error) {
    // Another test file has made it meanwhile.
    rmSync(dataDir, { recursive: true, force: true });
    if (!existsSync(seed)) throw error;
  }
}

/** Removes what nobody needs any more. */
export function weedEmbedded(): void {
  const folder = databasesFolder();
  for (const name of readdirSync(folder)) {
    const kind = /^(seed|copy)-/.exec(name)?.[1] as keyof typeof longestMs | undefined;
    if (kind === undefined) continue;
    const old = join(folder, name);
    const { mtimeMs = 0 } = statSync(old, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > longestMs[kind]) rmSync(old, { recursive: true, force: true });
  }
}

let known: string | undefined;

function fingerprint(): string {
  known ??= (() => {
    const hash = createHash('sha256');
    const folder = join(import.meta.dirname, '../../migrations');
    for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)));
    const library = createRequire(import.meta.url).resolve('@electric-sql/pglite');
    hash.update(readFileSync(join(dirname(library), '../package.json')));
    return hash.digest('hex').slice(0, 16);
  })();
  return known;
}
