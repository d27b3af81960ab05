import t from 'tap';
import { postgresOnly } from '../helpers/database.ts';
import { startGateway } from './hostile-gateway.ts';
import { httpProvider, openBench, rowOf } from './service-support.ts';

t.test('many instances, one message, one request', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [httpProvider('main', `${gateway.url}/ok`)]);
    const other = await bench.another(await database.another());
    const message = await bench.queue();
    await Promise.all(
      Array.from({ length: 32 }, (_, index) => (index % 2 ? bench : other).delivery.send(message)),
    );
    t.equal(gateway.received.length, 1);
    t.equal(bench.told.length + other.told.length, 1, 'told once');
    t.match(await rowOf(storage.db, message.id), { status: 'accepted' });
  });
});

t.test('many instances recover the same messages', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [httpProvider('main', `${gateway.url}/ok`)]);
    const other = await bench.another(await database.another());
    const messages = await Promise.all(Array.from({ length: 10 }, () => bench.queue()));
    bench.now = new Date(bench.now.getTime() + 10_000);
    await Promise.all(
      Array.from({ length: 16 }, (_, index) => (index % 2 ? bench : other).delivery.recover(bench.now)),
    );
    t.same(
      gateway.received.map(({ body }) => JSON.parse(body).id).sort(),
      messages.map(({ id }) => id).sort(),
      'each sent exactly once',
    );
    t.equal(bench.told.length + other.told.length, 10);
  });
});

t.test('a message given up while its instance slept is not sent by the next provider', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    let release: (() => void) | undefined;
    const gateway = await startGateway(t, {
      slow: (response) => {
        release = () => response.writeHead(503).end();
      },
    });
    const bench = await openBench(t, storage, [
      httpProvider('one', `${gateway.url}/slow`),
      httpProvider('two', `${gateway.url}/ok`),
    ]);
    const other = await bench.another(await database.another());
    const message = await bench.queue();
    const sending = bench.delivery.send(message);
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    bench.now = new Date(bench.now.getTime() + 61_000);
    await other.delivery.recover(bench.now);
    release();
    t.match(await sending, { status: 'unknown' });
    t.same(
      gateway.received.map(({ path }) => path),
      ['/slow'],
    );
    t.equal(bench.told.length + other.told.length, 1);
  });
});
