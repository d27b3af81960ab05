import { open, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { SnapshotBroken } from '../errors.ts';
import type { Snapshot } from '../types.ts';

/** The first line; behind it come the rows of each table, one a line, in the order of `tables`. */
interface Header {
  format: typeof FORMAT;
  migrations: string[];
  tables: { name: string; count: number }[];
}

const FORMAT = 'sallyport-backup-1';
const BATCH = 500;

/**
 * Writes a snapshot as JSON lines, readable by its owner alone: it holds password hashes and numbers. The file gets its
 * name when it is whole. Answers the number of rows; throws when the file exists.
 */
export async function writeBackup(path: string, { migrations, tables }: Snapshot): Promise<number> {
  const reserved = await open(path, 'wx', 0o600);
  await reserved.close();
  const draft = `${path}.part`;
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      const header: Header = {
        format: FORMAT,
        migrations,
        tables: tables.map(({ name, count }) => ({ name, count })),
      };
      await file.write(`${JSON.stringify(header)}\n`);
      for (const table of tables) {
        for await (const rows of table.rows()) await file.write(`${rows.map(oneLine).join('\n')}\n`);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await Promise.all([draft, path].map((name) => rm(name, { force: true })));
    throw error;
  }
  return tables.reduce((sum, { count }) => sum + count, 0);
}

/** Hands `work` the snapshot that a file holds. Throws {@link SnapshotBroken} when it is none, or is cut off. */
export async function readBackup<T>(path: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    const lines = createInterface({
      input: file.createReadStream({ autoClose: false }),
      crlfDelay: Number.POSITIVE_INFINITY,
    })[Symbol.asyncIterator]();
    const header = readHeader((await lines.next()).value);
    return await work({
      migrations: header.migrations,
      tables: header.tables.map(({ name, count }) => ({ name, count, rows: () => readRows(lines, count) })),
    });
  } finally {
    await file.close();
  }
}

/** JSON escapes every other line break; the two of Unicode stand in strings as they are, and readers of lines stop at them. */
const oneLine = (row: string): string => row.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

function readHeader(line: unknown): Header {
  try {
    const header = JSON.parse(String(line)) as Header;
    if (header.format === FORMAT) return header;
  } catch {
    // Told below: what the line says instead is of no interest.
  }
  throw new SnapshotBroken('the file is no backup of this program');
}

async function* readRows(lines: AsyncIterator<string>, count: number): AsyncIterable<string[]> {
  for (let left = count; left > 0; ) {
    const batch: string[] = [];
    while (batch.length < Math.min(left, BATCH)) {
      const { value, done } = await lines.next();
      if (done) throw new SnapshotBroken('the file ends before its last row');
      batch.push(value);
    }
    left -= batch.length;
    yield batch;
  }
}
