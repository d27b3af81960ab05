import t, { type Test } from 'tap';
import { sendRiders } from '../../src/storage/index.ts';
import type { Db, Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { recordingLog } from '../helpers/log.ts';
import { startVerify, verifyProvider, verifyService } from '../helpers/verify-server.ts';
import { startGateway } from './hostile-gateway.ts';
import { type Bench, httpProvider, openBench, rowOf } from './service-support.ts';

/* Gateways that want to hear it are told which codes were used: after the login, by any instance, and not for ever. */

const reporting = (url: string) => verifyProvider('verify', url, { customCode: true });

/** Sends a message, and uses what it carried. */
async function use(bench: Bench, db: Db, reference = 'code_1') {
  const message = await bench.queue({ reference });
  const { status } = await bench.delivery.send(message);
  await sendRiders(db, [bench.delivery.verifying(reference, bench.now)]);
  return { id: message.id, status };
}

const later = (bench: Bench, seconds: number) => {
  bench.now = new Date(bench.now.getTime() + seconds * 1000);
  return bench.delivery.reportUses(bench.now);
};

const stories: [name: string, work: (t: Test, storage: Storage) => Promise<void>][] = [];
const story = (...one: (typeof stories)[number]) => void stories.push(one);

story('told once, after it was used', async (t, storage) => {
  const verify = await startVerify(t);
  const bench = await openBench(t, storage, [reporting(verify.url)]);
  const message = await bench.queue();
  await bench.delivery.send(message);
  await later(bench, 1);
  t.equal(verify.updates.length, 0, 'a message that was sent is none that was used');
  await sendRiders(storage.db, [bench.delivery.verifying('code_1', bench.now)]);
  for (let n = 0; n < 3; n++) await later(bench, 61);
  const { gateway_id: sid } = await rowOf(storage.db, message.id);
  t.match(verify.updates, [
    { path: `/v2/Services/${verifyService}/Verifications/${sid}`, fields: { Status: 'approved' } },
  ]);
  t.equal(verify.updates.length, 1);
  t.match(await rowOf(storage.db, message.id), { use_due_at: null, use_tries: 1 });
});

story('told again while it cannot be taken, and then no more', async (t, storage) => {
  const verify = await startVerify(t);
  const bench = await openBench(t, storage, [reporting(verify.url)]);
  verify.instead = { update: (response) => response.writeHead(503).end() };
  const { id } = await use(bench, storage.db);
  await later(bench, 1);
  await later(bench, 1);
  t.equal(verify.updates.length, 1, 'not at once');
  for (const seconds of [10, 61, 601, 3601, 7200, 7200]) await later(bench, seconds);
  t.equal(verify.updates.length, 5);
  t.match(await rowOf(storage.db, id), { use_due_at: null });

  verify.instead = { update: (response) => response.destroy() };
  await use(bench, storage.db, 'code_2');
  await later(bench, 1);
  verify.instead = {};
  await later(bench, 11);
  await later(bench, 7200);
  t.equal(
    verify.updates.length,
    7,
    'a cut line may have told it: it is told again, which changes nothing there',
  );
});

story('what will never be taken is left at once', async (t, storage) => {
  const verify = await startVerify(t);
  const log = recordingLog();
  const bench = await openBench(t, storage, [reporting(verify.url)], log);
  for (const status of [400, 401, 402, 404]) {
    verify.instead = { update: (response) => response.writeHead(status).end('{}') };
    await use(bench, storage.db, `code_${status}`);
    for (let n = 0; n < 3; n++) await later(bench, 3600);
  }
  t.equal(verify.updates.length, 4);
  const said = JSON.stringify(log.lines);
  t.match(said, 'status 402', 'said to the operator');
  t.notMatch(said, 'status 404', 'what is forgotten there needs no report');
  t.notMatch(said, /token-of-verify|493817|447700900123/);
});

story('only of the message that was read', async (t, storage) => {
  const verify = await startVerify(t);
  const gateway = await startGateway(t);
  const bench = await openBench(t, storage, [
    reporting(verify.url),
    httpProvider('plain', `${gateway.url}/ok`),
  ]);
  const first = await bench.queue();
  await bench.delivery.send(first);
  bench.now = new Date(bench.now.getTime() + 25_000);
  await use(bench, storage.db);
  await later(bench, 1);
  t.equal(verify.updates.length, 1, 'two went out: the later one was enough');

  const failed = await bench.queue({ reference: 'code_2' });
  await bench.delivery.send(failed);
  await storage.db.updateTable('messages').set({ receipt: 'failed' }).where('id', '=', failed.id).execute();
  await sendRiders(storage.db, [bench.delivery.verifying('code_2', bench.now)]);
  await later(bench, 1);
  t.equal(verify.updates.length, 1, 'it did not arrive');

  verify.instead = { send: (response) => response.writeHead(503).end() };
  const { status } = await use(bench, storage.db, 'code_3');
  t.equal(status, 'accepted');
  t.equal(gateway.received.length, 1, 'by the other provider');
  await later(bench, 1);
  t.equal(verify.updates.length, 1, 'which does not want to hear');
});

story('used before the gateway has answered', async (t, storage) => {
  const verify = await startVerify(t);
  const bench = await openBench(t, storage, [reporting(verify.url)]);
  const message = await bench.queue();
  let asked = () => {};
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let answer = () => {};
  verify.instead = {
    send(response) {
      answer = () => response.writeHead(201).end('{"sid":"VE1"}');
      asked();
    },
  };
  const sending = bench.delivery.send(message);
  await asking;
  await sendRiders(storage.db, [bench.delivery.verifying('code_1', bench.now)]);
  await later(bench, 1);
  t.equal(verify.updates.length, 0);
  answer();
  await sending;
  await later(bench, 11);
  t.match(verify.updates, [{ path: /VE1$/ }]);
});

story('nobody is told who does not want to hear', async (t, storage) => {
  const verify = await startVerify(t);
  const bench = await openBench(t, storage, [verifyProvider('verify', verify.url)]);
  const { id } = await use(bench, storage.db);
  await later(bench, 1);
  t.equal(verify.updates.length, 0);
  t.match(await rowOf(storage.db, id), { use_due_at: null, wants_use: false });
});

t.test('conversions', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    for (const [name, work] of stories) {
      await t.test(name, async (t) => {
        for (const table of ['providers', 'messages', 'provider_breakers'] as const)
          await storage.db.deleteFrom(table).execute();
        await work(t, storage);
      });
    }
  });
});

t.test('many instances, one report; one that dies leaves it to the others', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const verify = await startVerify(t);
    const bench = await openBench(t, storage, [reporting(verify.url)]);
    const other = await bench.another(await database.another());
    for (let n = 0; n < 10; n++) await use(bench, storage.db, `code_${n}`);
    bench.now = new Date(bench.now.getTime() + 1_000);
    await Promise.all(
      Array.from({ length: 16 }, (_, n) => (n % 2 ? bench : other).delivery.reportUses(bench.now)),
    );
    t.equal(verify.updates.length, 10);

    await use(bench, storage.db, 'taken');
    const until = new Date(bench.now.getTime() + 60_000);
    // As it stands when its instance was killed with the report under way.
    await storage.db
      .updateTable('messages')
      .set({ use_due_at: until, use_tries: 1 })
      .where('reference', '=', 'taken')
      .execute();
    await other.delivery.reportUses(bench.now);
    t.equal(verify.updates.length, 10);
    await later(bench, 61);
    t.equal(verify.updates.length, 11);
  });
});
