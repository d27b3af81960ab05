import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';

const name = `sallyport-test-${userInfo().uid}`;
const memory = '/dev/shm';
/** Containers often have 64 MiB there; a run needs some hundred. */
const roomNeeded = 2 * 1024 ** 3;

/** The database's own user must get through it. */
function made(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

/** The folder of this user's test runs; `test/run.js` makes it TMPDIR. */
const scratchFolder = () => made(basename(tmpdir()) === name ? tmpdir() : join(tmpdir(), name));

/**
 * Where databases of tests stand: in memory where there is room, on a machine that has such a folder. Hundreds are
 * copied in a run, and on a disk the system works longer for each than the database does.
 */
export function databasesFolder(): string {
  if (!existsSync(memory)) return scratchFolder();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize < roomNeeded ? scratchFolder() : made(join(memory, name));
}
