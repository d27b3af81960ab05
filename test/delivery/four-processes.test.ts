import t from 'tap';
import { postgresOnly } from '../helpers/database.ts';
import { allEnded, beginAll, startFleet } from '../helpers/fleet.ts';
import { startGateway } from './hostile-gateway.ts';
import { httpProvider, keyBytes, openBench, saveChannels } from './service-support.ts';

const entry = new URL('killed-instance.ts', import.meta.url).pathname;
const args = (work: string, url: string | null, now: Date) => [
  ...[work, url ?? '', keyBytes.toString('base64'), now.toISOString()],
];

t.test('a provider that fails is left alone by four other processes within two seconds', async (t) => {
  await postgresOnly(t, async (t, storage, { url }) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [httpProvider('one', `${gateway.url}/busy`)]);
    const fleet = await startFleet(t, 4, entry, args('watch', url, bench.now));
    const seen = Promise.all(fleet.map((member) => member.line()));
    for (let n = 0; n < 5; n++) {
      await bench.delivery.send(await bench.queue({ to: `+4477009002${n + 10}`, reference: `code ${n}` }));
    }
    const opened = Date.now();
    t.equal(bench.delivery.openBreakers(bench.now).size, 1);
    for (const line of await seen) {
      const [word, at] = line.split(' ');
      t.equal(word, 'open');
      t.ok(Number(at) - opened <= 2_000, `after ${Number(at) - opened} ms`);
    }
    await Promise.all(fleet.map(({ process }) => process.kill('SIGKILL')));
  });
});

t.test('four processes look at the same timers at once: each is followed once', async (t) => {
  await postgresOnly(t, async (t, storage, { url }) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [
      httpProvider('sms', `${gateway.url}/ok/sms`),
      httpProvider('calls', `${gateway.url}/ok/calls`, {}, { channel: 'voice' }),
    ]);
    await saveChannels(storage, [{ id: 'sms', workflow: [{ after: '25s', channel: 'voice' }] }]);
    await bench.delivery.reload();
    const references = Array.from({ length: 30 }, (_, n) => `code ${n}`);
    for (const [n, reference] of references.entries()) {
      await bench.delivery.send(await bench.queue({ to: `+4477009003${n + 10}`, reference }));
    }
    const due = new Date(bench.now.getTime() + 26_000);
    const fleet = await startFleet(t, 4, entry, args('follow when told', url, due));
    beginAll(fleet);
    await allEnded(fleet);
    const rows = await storage.db
      .selectFrom('messages')
      .select(['reference', 'status'])
      .where('channel', '=', 'voice')
      .execute();
    t.same(rows.map(({ reference }) => reference).sort(), references.sort(), 'one call for each');
    t.ok(
      rows.every(({ status }) => status === 'accepted'),
      'each sent by who wrote it',
    );
    t.equal(gateway.received.filter(({ path }) => path === '/ok/calls').length, 30);
    t.same(await storage.db.selectFrom('message_timers').selectAll().execute(), []);
  });
});
