import { sql } from 'kysely';
import t from 'tap';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { WrongSchema } from '../../src/storage/index.ts';
import { demandMigrated, migrate } from '../../src/storage/migrate.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const empty = { migrated: false };

t.test('applies what is missing, once', async (t) => {
  await forEachDatabase(
    t,
    async (t, storage) => {
      await t.rejects(storage.ready(), WrongSchema, 'not ready before');
      t.strictSame(await storage.migrate(), Object.keys(migrations));
      t.strictSame(await storage.migrate(), []);
      await t.resolves(storage.ready());
    },
    empty,
  );
});

t.test('a migration that fails leaves nothing of itself or of those beside it', async (t) => {
  await forEachDatabase(
    t,
    async (t, { db }) => {
      const broken = {
        a: { up: async (handle: typeof db) => void (await sql`create table half (id text)`.execute(handle)) },
        b: { up: async (handle: typeof db) => void (await sql`create table half (id text)`.execute(handle)) },
      };
      await t.rejects(migrate(db, broken, systemClock), /already exists/);
      t.strictSame(await migrate(db, { a: broken.a }, systemClock), ['a']);
    },
    empty,
  );
});

t.test('refuses a database that a later version has migrated', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    await storage.db
      .insertInto('migrations')
      .values({ name: '9999-later', applied_at: new Date() })
      .execute();
    await t.rejects(storage.ready(), /newer than this version: it has 9999-later/);
    await t.rejects(storage.migrate(), WrongSchema);
  });
});

t.test('names what is missing', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    const more = { ...migrations, '0002-next': { up: async () => {} } };
    await t.rejects(demandMigrated(db, more), /lacks migrations: 0002-next\. Run "sallyport migrate"/);
  });
});

t.test('of four that start together one migrates', async (t) => {
  await postgresOnly(
    t,
    async (t, storage, database) => {
      const all = [storage, await database.another(), await database.another(), await database.another()];
      const applied = await Promise.all(all.map((one) => one.migrate()));
      t.strictSame(applied.flat(), Object.keys(migrations));
    },
    empty,
  );
});
