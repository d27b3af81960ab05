import t, { type Test } from 'tap';
import type { NewMessage } from '../../src/delivery/types.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { type Gateway, startGateway } from './hostile-gateway.ts';
import { type Bench, eventsOf, httpProvider, openBench, saveChannels } from './service-support.ts';

const text = 'Your code is 493817';
const code: Partial<NewMessage> = {
  reference: 'one',
  text: `${text}\n\n@id.example #493817`,
  words: (channel) => ({ text: channel === 'sms' ? `${text}\n\n@id.example #493817` : text, subject: null }),
};

const toVoice = [{ after: '25s', channel: 'voice' }];

interface Opened {
  bench: Bench;
  gateway: Gateway;
  /** What the gateways were asked for, by the names of their providers. */
  asked(): string[];
  /** Lets time pass, and whatever is due happen. */
  pass(seconds: number): Promise<void>;
  report(id: string, state: string): Promise<void>;
}

const receipts = {
  message: 'message',
  state: 'state',
  states: { delivered: ['delivered'], failed: ['failed'], read: ['read'] },
};

/** SMS by `sms` (which answers like `path`) and by `spare`; calls by `calls`. */
async function open(t: Test, storage: Storage, workflow: object[], path = 'ok'): Promise<Opened> {
  const gateway = await startGateway(t);
  const members = { secrets: { hook: 'hook-secret-0123456789' } };
  const signed = { receipts: { ...receipts, signature: { secret: 'hook', header: 'x-token' } } };
  const provider = (id: string, first: string, more: object = {}) =>
    httpProvider(id, `${gateway.url}/${first}/${id}`, signed, { ...members, ...more });
  const bench = await openBench(t, storage, [
    provider('sms', path),
    provider('spare', 'ok'),
    provider('calls', 'ok', { channel: 'voice' }),
  ]);
  await saveChannels(storage, [{ id: 'sms', providers: ['sms'], workflow }]);
  await bench.delivery.reload();
  const asked = () => gateway.received.map(({ path }) => path.split('/').at(-1) ?? '');
  return {
    ...{ bench, gateway, asked },
    async pass(seconds) {
      bench.now = new Date(bench.now.getTime() + seconds * 1000);
      await bench.delivery.followUp(bench.now);
      await settled(storage);
    },
    async report(id, state) {
      const row = await storage.db
        .selectFrom('messages')
        .select('provider_id')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const content = { message: id, state };
      await bench.delivery.receipts.report(row.provider_id ?? '', {
        ...{ method: 'POST', url: '', query: {}, body: Buffer.alloc(0), content },
        headers: { 'x-token': 'hook-secret-0123456789' },
      });
    },
  };
}

/** Waits until nothing is under way. */
async function settled(storage: Storage): Promise<void> {
  for (;;) {
    const open = await storage.db
      .selectFrom('messages')
      .select('id')
      .where('status', 'in', ['queued', 'sending'])
      .execute();
    if (open.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const timersIn = (storage: Storage) => storage.db.selectFrom('message_timers').selectAll().execute();

t.test('a call when the SMS does not arrive', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { asked, bench, gateway, pass } = await open(t, storage, toVoice);
    await bench.delivery.send(await bench.queue(code));
    t.notOk(JSON.stringify(await timersIn(storage)).includes('493817'), 'what waits is sealed');
    await pass(24);
    t.same(asked(), ['sms']);
    t.equal(await bench.delivery.state(storage.db, 'one'), 'accepted');
    await pass(2);
    t.same(asked(), ['sms', 'calls']);
    t.match(JSON.parse(gateway.received[1]?.body ?? ''), { to: '+447700900123', text }, 'the words alone');
    t.equal(await bench.delivery.state(storage.db, 'one'), 'calling', 'the page says so');
    t.same(
      bench.told.map(({ reference, outcome }) => `${reference} ${outcome.status}`),
      ['one accepted', 'one accepted'],
      'for the same code',
    );
    await pass(60);
    t.same(asked(), ['sms', 'calls'], 'and nothing more');
    t.same(await timersIn(storage), []);
  });
});

t.test('what keeps the next message back, and what hastens it', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { asked, bench, pass, report } = await open(t, storage, toVoice);
    let wanted = true;
    bench.delivery.onFollowUp(async (_db, { reference, loginId }) => {
      t.match({ reference, loginId }, { reference: /^[a-z]+$/, loginId: 'login_1' });
      return wanted;
    });
    const sendAnd = async (reference: string, what: (id: string) => Promise<void> | void) => {
      wanted = true;
      const before = asked().length;
      const message = await bench.queue({ ...code, reference });
      await bench.delivery.send(message);
      await what(message.id);
      return asked().slice(before);
    };
    t.same(
      await sendAnd('delivered', async (id) => {
        await report(id, 'delivered');
        await pass(30);
      }),
      ['sms'],
    );
    t.same(
      await sendAnd('read', async (id) => {
        await report(id, 'read');
        await pass(30);
      }),
      ['sms'],
    );
    t.same(
      await sendAnd('used', async () => {
        wanted = false;
        await pass(30);
      }),
      ['sms'],
      'nobody waits for it any more',
    );
    t.same(await sendAnd('stale', () => pass(400)), ['sms'], 'the code has run out');
    t.same(
      await sendAnd('failed', async (id) => {
        await report(id, 'failed');
        await pass(0);
      }),
      ['sms', 'calls'],
      'at once when it is reported as failed',
    );
    t.same(
      await sendAnd('failedlate', async (id) => {
        await pass(30);
        await report(id, 'failed');
        await pass(30);
      }),
      ['sms', 'calls'],
      'once, however often there is a reason',
    );
  });
});

t.test('by outcome of the first message', async (t) => {
  for (const [path, expected, told] of [
    ['busy', ['sms', 'calls'], ['accepted']],
    ['broken', ['sms'], ['unknown']],
    ['cut', ['sms'], ['unknown']],
    ['badnumber', ['sms'], ['rejected']],
  ] as const) {
    await t.test(path, async (t) => {
      await forEachDatabase(t, async (t, storage) => {
        const { asked, bench, pass } = await open(t, storage, toVoice, path);
        await bench.delivery.send(await bench.queue(code));
        await settled(storage);
        t.same(asked(), expected, 'without waiting');
        await pass(60);
        t.same(asked(), expected, 'and no other later');
        t.same(
          bench.told.map(({ outcome }) => outcome.status),
          told,
          'the code lives as long as a message may bring it',
        );
      });
    });
  }
});

t.test('several follow-ups, by providers of the same channel, until one is read', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const workflow = [
      { after: '2m', unless: 'read', providers: ['spare'] },
      { after: '30s', channel: 'voice' },
    ];
    const { asked, bench, gateway, pass, report } = await open(t, storage, workflow);
    const message = await bench.queue(code);
    await bench.delivery.send(message);
    await report(message.id, 'delivered');
    await pass(119);
    t.same(asked(), ['sms']);
    await pass(2);
    t.same(asked(), ['sms', 'spare'], 'delivered is not read');
    t.match(JSON.parse(gateway.received[1]?.body ?? ''), { text: code.text }, 'the whole text again');
    await pass(31);
    t.same(asked(), ['sms', 'spare', 'calls']);
    t.same(
      (await eventsOf(storage.db)).filter((event) => event.startsWith('message.accepted')),
      ['message.accepted calls', 'message.accepted sms', 'message.accepted spare'],
    );
  });
});

t.test('four instances look at the same timers, sixteen times each', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const { asked, bench } = await open(t, storage, toVoice);
    const instances = [bench];
    for (let n = 0; n < 3; n++) {
      instances.push({ ...bench, ...(await bench.another(await database.another())) });
    }
    const messages = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        bench.queue({ ...code, to: `+4477009001${n + 10}`, reference: `code ${n}` }),
      ),
    );
    await Promise.all(messages.map((message, n) => instances[n % 4]?.delivery.send(message)));
    bench.now = new Date(bench.now.getTime() + 26_000);
    await Promise.all(Array.from({ length: 64 }, (_, n) => instances[n % 4]?.delivery.followUp(bench.now)));
    await settled(storage);
    t.equal(asked().filter((name) => name === 'calls').length, 12, 'each once');
    t.same(await timersIn(storage), []);
  });
});
