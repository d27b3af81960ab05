import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataDirInUse, DataDirUnusable } from './errors.ts';

/**
 * The lock of the embedded database's folder. The database itself has none, and two processes on one folder lose rows
 * without an error. An SQLite file in an exclusive transaction is held by the operating system for exactly as long as
 * the process lives, also when it is killed; a pid file or a bound socket is not. Who holds it stands in a file beside.
 */
export interface FolderLock {
  release(): void;
}

/** Every lock of this process: an SQLite handle that nothing refers to is closed by the garbage collector. */
const held = new Set<DatabaseSync>();

/** Takes the lock at once, or throws {@link DataDirInUse} or {@link DataDirUnusable}. `since` is told to whoever is refused. */
export function lockFolder(dataDir: string, since: Date): FolderLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const holderFile = join(dataDir, 'lock.json');
  const file = open(dataDir);
  try {
    file.exec('begin exclusive');
  } catch (error) {
    file.close();
    // 5 is SQLITE_BUSY; anything else is a full disk or a file that may not be written.
    if ((error as { errcode?: number }).errcode !== 5) throw new DataDirUnusable(dataDir, error as Error);
    throw new DataDirInUse(dataDir, readHolder(holderFile));
  }
  const holder = { pid: process.pid, socket: join(dataDir, 'control.sock'), since: since.toISOString() };
  writeFileSync(`${holderFile}.new`, JSON.stringify(holder), { mode: 0o600 });
  renameSync(`${holderFile}.new`, holderFile);
  held.add(file);
  return {
    release() {
      held.delete(file);
      rmSync(holderFile, { force: true });
      file.close();
    },
  };
}

function open(dataDir: string): DatabaseSync {
  try {
    return new DatabaseSync(join(dataDir, 'lock'), { timeout: 0 });
  } catch (error) {
    throw new DataDirUnusable(dataDir, error as Error);
  }
}

function readHolder(holderFile: string): { pid: number; socket: string; since: string } | null {
  try {
    return JSON.parse(readFileSync(holderFile, 'utf8'));
  } catch {
    return null;
  }
}
