import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { recordingLog } from '../helpers/log.ts';

t.test('a change is seen after a look, once, by whoever watches its topic', async (t) => {
  await forEachDatabase(t, async (t, { db, revisions, transaction }) => {
    const seen: string[] = [];
    const stop = revisions.watch('apps', () => seen.push('apps'));
    revisions.watch('flows', () => seen.push('flows'));
    t.equal(revisions.current('apps'), 0);

    await revisions.bump(db, 'apps');
    t.equal(revisions.current('apps'), 0, 'not before it looked');
    await revisions.refresh();
    await revisions.refresh();
    t.equal(revisions.current('apps'), 1);
    t.strictSame(seen, ['apps']);

    await transaction(async (tx) => {
      await revisions.bump(tx, 'apps');
      await revisions.bump(tx, 'flows');
    });
    await revisions.refresh();
    t.strictSame(seen.splice(0).sort(), ['apps', 'apps', 'flows']);

    stop();
    await revisions.bump(db, 'apps');
    await revisions.refresh();
    t.strictSame(seen, [], 'nobody watches any more');
    t.equal(revisions.current('apps'), 3);
  });
});

t.test('a watcher that throws does not keep the others from hearing', async (t) => {
  const log = recordingLog();
  await forEachDatabase(
    t,
    async (t, { db, revisions }) => {
      const seen: string[] = [];
      revisions.watch('a', () => {
        throw new Error('broken');
      });
      revisions.watch('a', () => seen.push('a'));
      await revisions.bump(db, 'a');
      await revisions.refresh();
      t.strictSame(seen, ['a']);
      t.match(log.lines.at(-1), { level: 'error', fields: { topic: 'a' } });
    },
    { log },
  );
});

t.test('another instance hears of a change within about a second', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const other = await database.another();
    await other.start();
    let heard = 0;
    other.revisions.watch('apps', () => {
      heard = performance.now();
    });
    await sleep(300);
    const changed = performance.now();
    await storage.revisions.bump(storage.db, 'apps');
    while (heard === 0 && performance.now() - changed < 5_000) await sleep(10);
    t.ok(heard > 0 && heard - changed < 1_500, `${(heard - changed).toFixed(0)} ms`);
  });
});
