import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { retryAfterMs } from '../../src/delivery/breaker/retry-after.ts';
import { createProviderDesk } from '../../src/delivery/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { silent } from '../helpers/log.ts';
import { type Behaviour, startGateway } from './hostile-gateway.ts';
import {
  type Bench,
  crypto,
  eventsOf,
  httpProvider,
  issuer,
  openBench,
  rowOf,
  saveProviders,
} from './service-support.ts';
import { references } from './support.ts';

t.test('how long a gateway wants to be left alone', async (t) => {
  const now = new Date('2026-03-01T10:00:00Z');
  for (const [written, expected] of [
    [undefined, 0],
    ['30', 30_000],
    [' 0 ', 0],
    ['Sun, 01 Mar 2026 10:01:00 GMT', 60_000],
    ['Sun, 01 Mar 2026 09:00:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
  ] as const) {
    const headers: Record<string, string> = written === undefined ? {} : { 'retry-after': written };
    t.equal(retryAfterMs({ headers }, now), expected, written ?? 'nothing');
  }
});

/** A gateway that does as it is told at the moment. */
async function moody(t: Test) {
  const mood = { now: 'busy' as 'busy' | 'ok' | 'broken' | 'badnumber' | 'slowdown' };
  const answers = {
    ok: [200, {}],
    busy: [503, {}],
    broken: [500, {}],
    badnumber: [400, {}],
    slowdown: [429, { 'retry-after': '300' }],
  } as const;
  const one: Behaviour = (response) => {
    const [status, headers] = answers[mood.now];
    response.writeHead(status, headers).end('{}');
  };
  const gateway = await startGateway(t, { one });
  const asked = () => gateway.received.filter(({ path }) => path.startsWith('/one')).length;
  return { mood, gateway, asked };
}

type Test = Parameters<typeof startGateway>[0];

const providers = (url: string) => [httpProvider('one', `${url}/one`), httpProvider('two', `${url}/ok`)];

let numbers = 0;
/** To a number of its own: after an open answer the same one would be spared the provider anyway. */
const sendOne = async (bench: Bench) => {
  numbers += 1;
  const to = `+4477009${String(numbers).padStart(5, '0')}`;
  const message = await bench.queue({ to, reference: `code_${numbers}` });
  return { message, outcome: await bench.delivery.send(message) };
};

const pass = (bench: Bench, ms: number) => {
  bench.now = new Date(bench.now.getTime() + ms);
};

t.test('opened by failures, tried again by one, closed by a success', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { asked, gateway, mood } = await moody(t);
    const bench = await openBench(t, storage, providers(gateway.url));
    for (let n = 0; n < 5; n++) t.match((await sendOne(bench)).outcome, { status: 'accepted' });
    t.equal(asked(), 5);
    const { message } = await sendOne(bench);
    t.equal(asked(), 5, 'the sixth message does not ask it');
    t.match(await rowOf(storage.db, message.id), {
      status: 'accepted',
      provider_id: 'two',
      reason: 'one: is not asked for the moment: it has failed too often',
    });
    t.same([...bench.delivery.openBreakers(bench.now).keys()], ['one']);

    pass(bench, 31_000);
    await sendOne(bench);
    t.equal(asked(), 6, 'after half a minute one message tries');
    await sendOne(bench);
    t.equal(asked(), 6, 'and fails: the time is longer now');
    pass(bench, 31_000);
    await sendOne(bench);
    t.equal(asked(), 6);
    pass(bench, 31_000);
    mood.now = 'ok';
    await sendOne(bench);
    t.equal(asked(), 7);
    await sendOne(bench);
    t.equal(asked(), 8, 'closed');
    t.same(
      (await eventsOf(storage.db)).filter((event) => event.startsWith('provider.')),
      ['provider.closed one', 'provider.opened one', 'provider.opened one'],
    );
    t.equal(bench.delivery.openBreakers(bench.now).size, 0);
  });
});

t.test('what counts', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { asked, gateway, mood } = await moody(t);
    const bench = await openBench(t, storage, providers(gateway.url));
    const afterSends = async (what: [typeof mood.now, number][]) => {
      await saveProviders(storage, providers(gateway.url));
      await bench.delivery.reload();
      pass(bench, 3_600_000);
      for (const [next, times] of what) {
        mood.now = next;
        for (let n = 0; n < times; n++) await sendOne(bench);
      }
      const before = asked();
      await sendOne(bench);
      return asked() === before ? 'open' : 'closed';
    };
    t.equal(await afterSends([['broken', 5]]), 'open', 'answers that leave it open count');
    t.equal(await afterSends([['badnumber', 20]]), 'closed', 'bad numbers do not');
    t.equal(await afterSends([['busy', 4]]), 'closed', 'a few failures do not open it');
    t.equal(
      await afterSends([
        ['ok', 12],
        ['busy', 5],
      ]),
      'closed',
      'nor those that are few among many',
    );
    t.equal(
      await afterSends([
        ['ok', 5],
        ['busy', 5],
      ]),
      'open',
      'half of them do',
    );
    t.equal(await afterSends([['slowdown', 1]]), 'open', 'a gateway that asks for time gets it at once');
    const row = await storage.db.selectFrom('provider_breakers').selectAll().executeTakeFirstOrThrow();
    t.equal(row.open_until?.getTime(), bench.now.getTime() + 300_000, 'as long as it asked for');
    t.equal(await afterSends([]), 'closed', 'whoever saves the provider again has it asked at once');
  });
});

t.test('a provider alone', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { asked, gateway } = await moody(t);
    const bench = await openBench(t, storage, [httpProvider('one', `${gateway.url}/one`)]);
    for (let n = 0; n < 6; n++) t.match((await sendOne(bench)).outcome, { status: 'unavailable' });
    t.equal(asked(), 5);
    const row = await storage.db.selectFrom('messages').selectAll().orderBy('id').executeTakeFirstOrThrow();
    t.equal(row.text_sealed, null);
  });
});

t.test('left alone, and ended by hand', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { asked, gateway, mood } = await moody(t);
    const documents = [httpProvider('one', `${gateway.url}/one`), httpProvider('two', `${gateway.url}/ok`)];
    const bench = await openBench(t, storage, documents);
    const deps = { storage, crypto, references, issuer, log: silent, audit: createAudit() };
    const desk = createProviderDesk({ ...deps, clock: { now: () => bench.now } });
    const leftAlone = async () => (await desk.list()).map((provider) => provider.leftAlone !== null);
    const open = async () => {
      mood.now = 'slowdown';
      await sendOne(bench);
      t.same(await leftAlone(), [true, false], 'whoever lists the providers sees it');
    };
    const to = '+447700900123';
    await open();
    t.match(await desk.test({ id: 'one', to }), { outcome: 'unavailable' });
    t.same(await leftAlone(), [true, false], 'a test that fails changes nothing');
    mood.now = 'ok';
    await desk.test({ id: 'two', to });
    const draft = { ...documents[0], from: 'OTHER' };
    t.match(await desk.test({ id: 'one', to, document: draft }), { outcome: 'accepted' });
    t.same(await leftAlone(), [true, false], 'nor one of another provider or document');
    t.match(await desk.test({ id: 'one', to }), { outcome: 'accepted' });
    t.same(await leftAlone(), [false, false], 'one that is taken ends it');
    t.equal((await eventsOf(storage.db)).filter((name) => name.startsWith('provider.closed')).length, 1);
    const before = asked();
    await sendOne(bench);
    t.equal(asked(), before + 1, 'the instance that knew it open asks it again');

    await open();
    await desk.save([{ ...documents[0], from: 'MENDED' }]);
    t.same(await leftAlone(), [false, false], 'an import or console that saves it ends it, too');
  });
});

async function fourInstances(t: Test, storage: Storage, another: () => Promise<Storage>, url: string) {
  const bench = await openBench(t, storage, providers(url));
  const storages = [storage, await another(), await another(), await another()];
  const instances = [bench, ...(await Promise.all(storages.slice(1).map((one) => bench.another(one))))];
  return { bench, storages, instances };
}

t.test('four instances, sixteen messages each', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const { asked, gateway, mood } = await moody(t);
    const { bench, instances, storages } = await fourInstances(
      t,
      storage,
      () => database.another(),
      gateway.url,
    );
    const all = async (times: number) => {
      const messages = await Promise.all(
        instances.flatMap((instance, place) =>
          Array.from({ length: times }, async (_, n) => ({
            instance,
            message: await bench.queue({
              to: `+44770080${place}${String(asked()).padStart(3, '0')}${n % 10}`,
              reference: `c_${place}_${n}_${asked()}`,
            }),
          })),
        ),
      );
      return Promise.all(messages.map(({ instance, message }) => instance.delivery.send(message)));
    };
    const outcomes = await all(16);
    t.ok(
      outcomes.every(({ status }) => status === 'accepted'),
      'the second provider took them unnoticed',
    );
    const opened = (await eventsOf(storage.db)).filter((event) => event === 'provider.opened one');
    t.equal(opened.length, 1, 'opened once');

    const began = performance.now();
    await Promise.all(storages.map(({ revisions }) => revisions.refresh()));
    while (instances.some(({ delivery }) => delivery.openBreakers(bench.now).size === 0)) {
      if (performance.now() - began > 2_000) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    t.ok(
      instances.every(({ delivery }) => delivery.openBreakers(bench.now).size === 1),
      'known to all with one look at the revisions',
    );
    const before = asked();
    await all(16);
    t.equal(asked(), before, 'nobody asks it any more');

    pass(bench, 31_000);
    mood.now = 'busy';
    await all(4);
    t.equal(asked(), before + 1, 'sixteen messages at once, and one of them tries');
    pass(bench, 61_000);
    mood.now = 'ok';
    await all(1);
    t.ok(asked() >= before + 2, 'tried again');
    const row = await storage.db.selectFrom('provider_breakers').selectAll().executeTakeFirstOrThrow();
    t.match(row, { open_until: null, probe_until: null, openings: 0 });
    const closed = (await eventsOf(storage.db)).filter((event) => event === 'provider.closed one');
    t.equal(closed.length, 1, 'closed once');
  });
});
