import t, { type Test } from 'tap';
import type { NewMessage, OutgoingMessage } from '../../src/delivery/types.ts';
import type { Storage } from '../../src/storage/types.ts';
import { defaults, guardOn } from '../guard/fixture.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { silent } from '../helpers/log.ts';
import { startGateway } from './hostile-gateway.ts';
import { crypto, httpProvider, openBench, rowOf, saveChannels } from './service-support.ts';

const number = '+447700900123';
const sms: Partial<NewMessage> = { reference: 'one', to: number };
const prices = '*,,sms,EUR,0.10\n*,,voice,EUR,0.30\n*,,*,EUR,0.10';

/** SMS (which the gateway answers like `path`), then a call, under a guard with these settings. */
async function open(t: Test, storage: Storage, settings: object, path = 'ok') {
  const gateway = await startGateway(t);
  const lookups: string[] = [];
  const elsewhere = { says: '{"lineType":"premium"}', meanwhile: () => {} };
  const guard = guardOn(
    storage,
    defaults(settings),
    () => {},
    async (_url, body) => {
      lookups.push(JSON.parse(body).number);
      elsewhere.meanwhile();
      return { status: 200, body: elsewhere.says };
    },
  );
  const providers = [
    httpProvider('sms', `${gateway.url}/${path}/sms`),
    httpProvider('calls', `${gateway.url}/ok/calls`, {}, { channel: 'voice' }),
  ];
  const bench = await openBench(t, storage, providers, silent, () => {}, guard);
  await saveChannels(storage, [{ id: 'sms', workflow: [{ after: '25s', channel: 'voice' }] }]);
  await bench.delivery.reload();
  const ask = () =>
    guard.allowSend(
      {
        ...{ number, numberHash: crypto.mac('identifier', number), userId: 'usr_1', ip: '192.0.2.1' },
        ...{ appId: 'shop', channel: 'sms', loginId: 'login_1' },
      },
      bench.now,
    );
  return {
    ...{ bench, guard, ask, lookups, elsewhere },
    asked: () => gateway.received.map((one) => one.path.split('/').at(-1)),
    async pass(seconds: number) {
      bench.now = new Date(bench.now.getTime() + seconds * 1_000);
      await bench.delivery.followUp(bench.now);
      await settled(storage);
    },
  };
}

async function settled({ db }: Storage): Promise<void> {
  for (;;) {
    const rows = await db
      .selectFrom('messages')
      .select('id')
      .where('status', 'in', ['queued', 'sending'])
      .execute();
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const decisionsIn = async ({ db }: Storage) => {
  const rows = await db
    .selectFrom('send_decisions')
    .select(['rule', 'action', 'channel'])
    .orderBy('action')
    .execute();
  return rows.map(({ action, channel, rule }) => `${channel} ${rule ?? 'none'} ${action}`);
};

const marksOf = async ({ db }: Storage, key: string) =>
  await db
    .selectFrom('send_histories')
    .select(['marks', 'times'])
    .where('key', 'like', key)
    .orderBy('key')
    .executeTakeFirstOrThrow();

t.test('a follow-up is asked for, counted and written down', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const budgets = [{ perDay: '5 EUR' }];
    const { ask, asked, bench, pass } = await open(t, storage, { sends: { prices, budgets } });
    t.match(await ask(), { allowed: true });
    await bench.delivery.send(await bench.queue(sms));
    await pass(26);
    t.same(asked(), ['sms', 'calls'], 'within the 30 seconds in which nobody may ask again');
    t.same(await decisionsIn(storage), ['voice none allow']);
    t.equal((await marksOf(storage, 'budget:%')).marks.spent, 400_000, 'an SMS and a call');
    t.equal((await marksOf(storage, 'number:%')).times.length, 2);
    const { marks } = await marksOf(storage, 'country:GB:%');
    t.same(Object.values(marks), [1], 'one code, whose use is looked at once');
    t.equal((await marksOf(storage, 'prefix:%')).times.length, 1);
  }),
);

t.test('what holds a follow-up back', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const budgets = [{ perDay: '0.10 EUR', whenSpent: 'challenge' }];
    const held = await open(t, storage, { sends: { prices, budgets } });
    await held.ask();
    await held.bench.delivery.send(await held.bench.queue(sms));
    await held.pass(26);
    t.same(held.asked(), ['sms'], 'a challenge is a refusal: nobody is there to pass it');
    t.same(await decisionsIn(storage), ['voice budget refuse']);
    await held.pass(60);
    t.same(held.asked(), ['sms']);
    t.same(await storage.db.selectFrom('message_timers').selectAll().execute(), []);
    t.equal(await held.bench.delivery.state(storage.db, 'one'), 'accepted', 'the SMS may still arrive');
    t.same(
      held.bench.told.map(({ outcome }) => outcome.status),
      ['accepted'],
    );
  }),
);

t.test('a code whose only message did not go out, and that nothing follows, is told of', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const settings = { sends: { perNumber: ['2 in 1h'] } };
    const { ask, asked, bench, pass } = await open(t, storage, settings, 'busy');
    for (const seconds of [0, 40]) {
      await pass(seconds);
      t.match(await ask(), { allowed: true });
    }
    t.match(await bench.delivery.send(await bench.queue(sms)), { status: 'unavailable' });
    await settled(storage);
    t.same(asked(), ['sms']);
    t.same(await decisionsIn(storage), ['voice number refuse']);
    t.same(
      bench.told.map(({ outcome }) => outcome.status),
      ['unavailable'],
    );
    t.equal(await bench.delivery.state(storage.db, 'one'), 'unavailable', 'and the page says so');
  }),
);

t.test('what was to follow cannot be read any more', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { db } = storage;
    const shapes: [name: string, of: (whole: OutgoingMessage) => unknown][] = [
      [
        'of a release that knew no words',
        ({ chain, ...rest }) => ({ ...rest, chain: { next: chain?.next } }),
      ],
      ['with steps of another form', (whole) => ({ ...whole, chain: { ...whole.chain, next: [null] } })],
      ['without a number', ({ to: _, ...rest }) => rest],
      ['under a key that is gone', () => null],
    ];
    const { asked, bench, pass } = await open(t, storage, {});
    for (const [reference, change] of shapes) {
      const message = await bench.queue({ ...sms, reference });
      await bench.delivery.send(message);
      const sent = asked();
      const timer = await db.selectFrom('message_timers').selectAll().executeTakeFirstOrThrow();
      const whole = JSON.parse(crypto.open('message', timer.sealed, message.id)) as OutgoingMessage;
      const old = change(whole);
      const sealed = old === null ? 'gone.AAAA' : crypto.seal('message', JSON.stringify(old), message.id);
      await db.updateTable('message_timers').set({ sealed }).execute();
      await db.updateTable('messages').set({ status: 'unavailable' }).where('id', '=', message.id).execute();
      await pass(26);
      t.same(asked(), sent, reference);
      t.same(await db.selectFrom('message_timers').selectAll().execute(), [], 'it is not tried for ever');
      const events = await db
        .selectFrom('audit_events')
        .select(['subject', 'reason'])
        .where('name', '=', 'followup.dropped')
        .execute();
      t.match(events, [{ subject: 'usr_1', reason: 'unreadable' }]);
      await db.deleteFrom('audit_events').execute();
      t.match(bench.told.at(-1), { reference, outcome: { status: 'unavailable' } }, 'whoever waits is told');
    }
  }),
);

t.test('a prefix that is blocked gets no call either', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { ask, asked, bench, pass } = await open(t, storage, {});
    await ask();
    await bench.delivery.send(await bench.queue(sms));
    await storage.db
      .updateTable('send_histories')
      .set({ blocked_until: new Date(bench.now.getTime() + 3_600_000) })
      .where('key', 'like', 'prefix:%')
      .execute();
    await pass(26);
    t.same(asked(), ['sms']);
    t.same(await decisionsIn(storage), ['voice prefix refuse']);
  }),
);

t.test('a number that somebody else knows to be bad gets nothing, whoever asked', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const secret = `whsec_${Buffer.alloc(32, 4).toString('base64')}`;
    const lookup = { url: 'https://numbers.example.test/', secret };
    const { asked, bench, lookups } = await open(t, storage, { lookup });
    const message = await bench.queue(sms);
    t.match(await bench.delivery.send(message), { status: 'rejected' });
    t.same(asked(), []);
    t.same(lookups, [number]);
    t.match(await rowOf(storage.db, message.id), {
      ...{ status: 'rejected', text_sealed: null, provider_id: null },
      reason: 'held back by the rule number-type',
    });
    t.same(await decisionsIn(storage), ['sms number-type refuse']);
    t.same(
      bench.told.map(({ outcome }) => outcome.status),
      ['rejected'],
      'and its code is told of',
    );
    t.match(await bench.delivery.send(message), { status: 'rejected' }, 'as often as it is tried');
    t.equal(lookups.length, 1);
  }),
);

t.test('a code that is typed while its number is looked up is not followed', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const secret = `whsec_${Buffer.alloc(32, 4).toString('base64')}`;
    const lookup = { url: 'https://numbers.example.test/', secret, keep: '0s' };
    const { asked, bench, elsewhere, lookups, pass } = await open(t, storage, { lookup });
    elsewhere.says = '{}';
    await bench.delivery.send(await bench.queue(sms));
    const before = lookups.length;
    let typed = false;
    bench.delivery.onFollowUp(async () => !typed);
    elsewhere.meanwhile = () => {
      typed = true;
    };
    await pass(26);
    t.equal(lookups.length, before + 1);
    t.same(asked(), ['sms']);
    t.same(await storage.db.selectFrom('message_timers').selectAll().execute(), []);
  }),
);
