import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { postgresOnly } from '../helpers/database.ts';
import { type Behaviour, startGateway } from './hostile-gateway.ts';
import { httpProvider, keyBytes, openBench, saveChannels } from './service-support.ts';

const entry = new URL('killed-instance.ts', import.meta.url).pathname;

function instance(t: Test, work: string, url: string, now: Date): ChildProcess {
  const values = [work, url, keyBytes.toString('base64'), now.toISOString()];
  const child = spawn(process.execPath, [entry, ...values], { stdio: ['ignore', 'inherit', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

t.test('killed between sending and recording', async (t) => {
  await postgresOnly(t, async (t, storage, { url }) => {
    let child: ChildProcess | undefined;
    const gateway = await startGateway(t, {
      kill: () => {
        child?.kill('SIGKILL');
      },
    });
    const bench = await openBench(t, storage, [
      httpProvider('one', `${gateway.url}/kill`),
      httpProvider('two', `${gateway.url}/ok`),
    ]);
    child = instance(t, 'send', url ?? '', bench.now);
    t.strictSame(await once(child, 'exit'), [null, 'SIGKILL']);
    t.equal(await bench.delivery.state(storage.db, 'code_1'), 'sending');
    for (const seconds of [6, 30, 31, 60]) {
      bench.now = new Date(bench.now.getTime() + seconds * 1000);
      await bench.delivery.recover(bench.now);
    }
    t.equal(
      await bench.delivery.state(storage.db, 'code_1'),
      'unknown',
      'nobody knows, and the page says so',
    );
    t.equal(gateway.received.length, 1, 'and nobody sends it a second time');
    t.same(
      bench.told.map(({ outcome }) => outcome.status),
      ['unknown'],
    );
  });
});

t.test('killed while messages follow others', async (t) => {
  await postgresOnly(t, async (t, storage, { url }) => {
    let child: ChildProcess | undefined;
    let calls = 0;
    const call: Behaviour = (response) => {
      calls += 1;
      if (calls === 5) child?.kill('SIGKILL');
      response.writeHead(200).end('{}');
    };
    const gateway = await startGateway(t, { call });
    const bench = await openBench(t, storage, [
      httpProvider('sms', `${gateway.url}/ok`),
      httpProvider('calls', `${gateway.url}/call`, {}, { channel: 'voice' }),
    ]);
    const workflow = [{ after: '25s', channel: 'voice' }];
    await saveChannels(storage, [{ id: 'sms', workflow }]);
    await bench.delivery.reload();
    for (let n = 0; n < 15; n++) {
      const message = { to: `+4477009001${n + 10}`, reference: `code ${n}` };
      await bench.delivery.send(await bench.queue(message));
    }
    bench.now = new Date(bench.now.getTime() + 26_000);
    child = instance(t, 'follow', url ?? '', bench.now);
    await once(child, 'exit');
    for (const seconds of [1, 6, 61]) {
      bench.now = new Date(bench.now.getTime() + seconds * 1000);
      await bench.delivery.followUp(bench.now);
      await bench.delivery.recover(bench.now);
    }
    const rows = await storage.db
      .selectFrom('messages')
      .select(['id', 'status', 'reference'])
      .where('channel', '=', 'voice')
      .execute();
    t.equal(new Set(rows.map(({ reference }) => reference)).size, 15, 'none is lost');
    t.equal(rows.length, 15, 'and none is there twice');
    t.same(
      rows.filter(({ status }) => status !== 'accepted' && status !== 'unknown'),
      [],
      'each has come to its end',
    );
    const asked = gateway.received
      .filter(({ path }) => path === '/call')
      .map(({ body }) => JSON.parse(body).id);
    t.equal(new Set(asked).size, asked.length, 'each was sent once at most');
    const unsent = rows.filter(({ id, status }) => status === 'accepted' && !asked.includes(id));
    t.same(unsent, [], 'what is said to be sent was sent');
  });
});
