/* Copies of a whole database: to the row the same, in one piece or not at all. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import t from 'tap';
import { json, readBackup, writeBackup } from '../../src/storage/index.ts';
import type { Snapshot, Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { fixtures } from './fixture.ts';
import { emptyPlace, everything, temporary, withStorage } from './support.ts';

const dump = join(fixtures, '0001-first-login.jsonl');
/** The dump brings its own tables. */
const unmigrated = { migrated: false };
const fill = (storage: Storage) => readBackup(dump, (snapshot) => storage.restore(snapshot));

/** What is hard to carry: separators that end lines for some, JSON's null, microseconds, more rows than a batch. */
async function addOddities({ db }: Storage): Promise<void> {
  await sql`insert into settings (section, document, updated_at)
    values ('null', 'null', '2026-01-02 03:04:05.678901+00'), ('nothing', ${json({ a: null })}, '2026-01-01')`.execute(
    db,
  );
  await sql`update users set name = ${'one\u2028two\u2029three\nfour "five" \\ 🔑'}`.execute(db);
  await sql`insert into counters (key, newest, counts, expires_at)
    select 'key ' || n, 9007199254740991, array[n, 0, -1], '2026-01-01' from generate_series(1, 1234) as n`.execute(
    db,
  );
}

for (const to of ['postgres', 'embedded'] as const) {
  await t.test(`to ${to}`, (t) =>
    forEachDatabase(
      t,
      async (t, source) => {
        await fill(source);
        await addOddities(source);
        const before = await source.snapshot(everything);
        const file = join(temporary(t), 'backup.jsonl');
        const written = await source.snapshot((snapshot) => writeBackup(file, snapshot));
        t.equal(statSync(file).mode & 0o777, 0o600, 'for its owner alone');
        t.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, written + 1);

        const place = await emptyPlace(t, to);
        await withStorage(place, async (target) => {
          t.equal(await readBackup(file, (snapshot) => target.restore(snapshot)), written);
          t.same(await target.snapshot(everything), before, 'the same rows, from a file');
          await target.ready();
        });
        await withStorage(await emptyPlace(t, to), async (target) => {
          await source.snapshot((snapshot) => target.restore(snapshot));
          t.same(await target.snapshot(everything), before, 'and directly');
        });
      },
      unmigrated,
    ),
  );
}

await t.test('what is refused leaves no row', (t) =>
  forEachDatabase(
    t,
    async (t, target) => {
      const empty = async (message: string) => {
        const { total } = await target.snapshot(async ({ tables }) => ({
          total: tables.reduce((sum, { count }) => sum + count, 0),
        }));
        t.equal(total, 0, message);
      };
      const folder = temporary(t);
      const whole = readFileSync(dump, 'utf8');
      const from = (content: string) => {
        const file = join(folder, 'backup.jsonl');
        writeFileSync(file, content);
        return readBackup(file, (snapshot) => target.restore(snapshot));
      };
      await t.rejects(from('something else\n'), /is no backup of this program/);
      await t.rejects(from(whole.replace('"0001-first-login"', '"0001-first-login","9999-later"')), {
        name: 'WrongSchema',
        message: /newer than this version: it has 9999-later/,
      });
      const lines = whole.trimEnd().split('\n');
      await t.rejects(from(`${lines.slice(0, -3).join('\n')}\n`), { name: 'SnapshotBroken' });
      await empty('a file that was cut off');
      await t.rejects(from(whole.slice(0, -20)), 'a file that was cut off within a row');
      await empty('the same');
      await t.rejects(from(whole.replace('"name":"users"', '"name":"others"')), /others, which no migration/);
      await empty('a table that nobody knows');

      await from(whole);
      await t.rejects(from(whole), { name: 'DatabaseNotEmpty' });
    },
    unmigrated,
  ),
);

await t.test('a copy that is broken off can be made again', (t) =>
  forEachDatabase(
    t,
    async (t, target) => {
      const broken = (snapshot: Snapshot): Snapshot => ({
        ...snapshot,
        tables: snapshot.tables.map((table) =>
          table.name !== 'signing_keys'
            ? table
            : {
                ...table,
                // biome-ignore lint/correctness/useYield: it fails before
                async *rows() {
                  throw new Error('the source is gone');
                },
              },
        ),
      });
      await t.rejects(
        readBackup(dump, (snapshot) => target.restore(broken(snapshot))),
        /the source is gone/,
      );
      t.ok((await fill(target)) > 50);
    },
    unmigrated,
  ),
);

await t.test('of sixteen copies at once one arrives', (t) =>
  postgresOnly(
    t,
    async (t, target) => {
      const results = await Promise.allSettled(Array.from({ length: 16 }, () => fill(target)));
      t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results) {
        // Who comes very late finds tables that were migrated to today meanwhile.
        if (result.status === 'rejected') t.match(result.reason.name, /^(DatabaseNotEmpty|WrongSchema)$/);
      }
    },
    unmigrated,
  ),
);

await t.test('a copy is of one moment', (t) =>
  postgresOnly(
    t,
    async (t, source, database) => {
      await fill(source);
      const before = await source.snapshot(everything);
      const other = await database.another();
      const during = await source.snapshot(async (snapshot) => {
        await sql`delete from backup_codes`.execute(other.db);
        await sql`insert into revisions (topic, n) values ('meanwhile', 1)`.execute(other.db);
        return everything(snapshot);
      });
      t.same(during, before);
    },
    unmigrated,
  ),
);

await t.test('a backup overwrites nothing', (t) =>
  postgresOnly(t, async (t, source) => {
    const file = join(temporary(t), 'backup.jsonl');
    writeFileSync(file, 'precious');
    await t.rejects(
      source.snapshot((snapshot) => writeBackup(file, snapshot)),
      { code: 'EEXIST' },
    );
    t.equal(readFileSync(file, 'utf8'), 'precious');
  }),
);
