// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import { sql } from 'kysely';
import t from 'tap';
import { sealDocument } from '../../src/delivery/providers.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { recordingLog } from '../helpers/log.ts';
import { startGateway } from './hostile-gateway.ts';
import { crypto, dump, eventsOf, httpProvider, openBench, rowOf, saveProviders } from './service-support.ts';

t.test('a message from queued to accepted', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await startGateway(t);
    const log = recordingLog();
    const provider = httpProvider('main', `${gateway.url}/ok`, {
      messageId: { pointer: '/id' },
      headers: { Authorization: 'Bearer sealed-token-1' },
    });
    const bench = await openBench(t, storage, [provider], log);
    t.ok(bench.delivery.has('sms'));
    t.notOk(bench.delivery.has('email'));

    const message = await bench.queue();
    const queued = await rowOf(storage.db, message.id);
    t.match(queued, {
      status: 'queued',
      to_last2: '23',
      to_country: 'GB',
      reference: 'code_1',
      provider_id: null,
    });
    t.ok(queued.text_sealed, 'the text is kept sealed');
    t.equal(await bench.delivery.state(storage.db, 'code_1'), 'queued');
    t.equal(gateway.received.length, 0, 'nothing is sent before');

    t.same(await bench.delivery.send(message), { status: 'accepted', gatewayId: 'gw-1' });
    t.same(JSON.parse(gateway.received[0]?.body ?? ''), {
      id: message.id,
      to: message.to,
      text: message.text,
    });
    const row = await rowOf(storage.db, message.id);
    t.match(row, {
      status: 'accepted',
      provider_id: 'main',
      gateway_id: 'gw-1',
      reason: null,
      text_sealed: null,
    });
    t.same(row.final_at, bench.now);
    t.equal(await bench.delivery.state(storage.db, 'code_1'), 'accepted');
    t.equal(await bench.delivery.state(storage.db, 'code_2'), null);
    t.same(bench.told, [
      { id: message.id, reference: 'code_1', outcome: { status: 'accepted', gatewayId: 'gw-1' } },
    ]);
    t.same(await eventsOf(storage.db), ['message.accepted main', 'message.queued -']);

    t.match(await bench.delivery.send(message), { status: 'accepted' }, 'asked again it tells what is known');
    t.equal(gateway.received.length, 1, 'and sends nothing');
    t.equal(bench.told.length, 1);
    for (const secret of ['7700900123', '493817', 'sealed-token-1']) {
      t.notOk((await dump(storage.db)).includes(secret), `${secret} is not in the database`);
      t.notOk(JSON.stringify(log.lines).includes(secret), `${secret} is not in the log`);
    }
  });
});

t.test('only unavailable goes to the next provider', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await startGateway(t);
    const to = (first: string) => [
      httpProvider('first', `${gateway.url}/${first}`, { timeout: '1s' }),
      httpProvider('off', `${gateway.url}/off`, {}, { enabled: false }),
      httpProvider('second', `${gateway.url}/ok`),
    ];
    const bench = await openBench(t, storage, to('busy'));
    const message = await bench.queue();
    t.match(await bench.delivery.send(message), { status: 'accepted' });
    t.same(
      gateway.received.map(({ path }) => path),
      ['/busy', '/ok'],
    );
    t.match(await rowOf(storage.db, message.id), {
      status: 'accepted',
      provider_id: 'second',
      reason: 'first: status 503',
    });
    t.same(await eventsOf(storage.db), [
      'message.accepted second',
      'message.queued -',
      'message.unavailable first',
    ]);

    for (const [path, status] of [
      ['badnumber', 'rejected'],
      ['hang', 'unknown'],
      ['broken', 'unknown'],
    ] as const) {
      await saveProviders(storage, to(path));
      await bench.delivery.reload();
      gateway.received.length = 0;
      const next = await bench.queue({ to: `+4477009009${path.length}0`, reference: path });
      t.match(await bench.delivery.send(next), { status });
      t.same(
        gateway.received.map(({ path }) => path),
        [`/${path}`],
        path,
      );
      t.equal(await bench.delivery.state(storage.db, path), status);
      t.equal((await rowOf(storage.db, next.id)).text_sealed, null);
    }
  });
});

t.test('all providers unavailable, or none', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [
      httpProvider('one', `${gateway.url}/busy`),
      httpProvider('two', `${gateway.url}/slowdown`),
    ]);
    const message = await bench.queue();
    t.match(await bench.delivery.send(message), { status: 'unavailable' });
    const row = await rowOf(storage.db, message.id);
    t.equal(row.reason, 'one: status 503; two: status 429, Retry-After 30: slow');
    t.equal(bench.told.length, 1);

    const mail = await bench.queue({ channel: 'email', to: 'a@example.test', reference: 'mail' });
    t.match(await bench.delivery.send(mail), { status: 'unavailable', reason: /no provider for email/ });
    t.match(await rowOf(storage.db, mail.id), { status: 'unavailable', text_sealed: null, to_country: null });
  });
});

t.test('after an open answer a resend asks another provider first', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [
      httpProvider('one', `${gateway.url}/broken`),
      httpProvider('two', `${gateway.url}/ok`),
    ]);
    t.match(await bench.delivery.send(await bench.queue()), { status: 'unknown' });
    t.match(await bench.delivery.send(await bench.queue()), { status: 'accepted' });
    t.same(
      gateway.received.map(({ path }) => path),
      ['/broken', '/ok'],
    );
    await bench.delivery.send(await bench.queue({ to: '+447700900999' }));
    t.equal(gateway.received.at(-1)?.path, '/broken', 'other numbers keep the order');
  });
});

t.test('what became stale', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [httpProvider('main', `${gateway.url}/ok`)]);
    const later = (ms: number) => {
      bench.now = new Date(bench.now.getTime() + ms);
    };
    const orphan = await bench.queue({ reference: 'orphan' });
    const late = await bench.queue({ reference: 'late', freshUntil: new Date(bench.now.getTime() + 3_000) });
    await bench.delivery.recover(bench.now);
    t.equal(gateway.received.length, 0, 'the instance that queued it is given its time');

    later(6_000);
    await bench.delivery.recover(bench.now);
    t.same(
      gateway.received.map(({ body }) => JSON.parse(body)),
      [{ id: orphan.id, to: orphan.to, text: orphan.text }],
      'sent as it was meant to be',
    );
    t.equal(await bench.delivery.state(storage.db, 'orphan'), 'accepted');
    t.match(await rowOf(storage.db, late.id), {
      status: 'unavailable',
      reason: /in time/,
      text_sealed: null,
    });
    t.match(await bench.delivery.send(late), { status: 'unavailable' });

    const dying = await bench.queue({ reference: 'dying' });
    await storage.db
      .updateTable('messages')
      .set({ status: 'sending', provider_id: 'main', sending_at: bench.now })
      .where('id', '=', dying.id)
      .execute();
    t.match(await bench.delivery.send(dying), { status: 'unknown' }, 'somebody else has it');
    await bench.delivery.recover(bench.now);
    t.equal(await bench.delivery.state(storage.db, 'dying'), 'sending');
    later(61_000);
    await bench.delivery.recover(bench.now);
    await bench.delivery.recover(bench.now);
    t.match(await rowOf(storage.db, dying.id), { status: 'unknown', text_sealed: null });
    t.equal(gateway.received.length, 1, 'and never sent again');
    t.same(
      bench.told.map(({ reference, outcome }) => `${reference} ${outcome.status}`).sort(),
      ['dying unknown', 'late unavailable', 'orphan accepted'],
      'each outcome is told once',
    );
  });
});

t.test('a provider whose reference is gone is asked and says why', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const log = recordingLog();
    const bench = await openBench(
      t,
      storage,
      [httpProvider('main', 'https://sms.example/', {}, { from: '${env:TOKEN}' })],
      log,
    );
    const document = httpProvider('main', 'https://sms.example/', {}, { from: '${env:GONE}' });
    await storage.db
      .updateTable('providers')
      .set({ document_sealed: sealDocument(crypto, document as never) })
      .execute();
    await bench.delivery.reload();
    t.match(await bench.delivery.send(await bench.queue()), {
      status: 'unavailable',
      reason: /GONE is not set/,
    });
    t.match(log.lines, [{ level: 'error', fields: { provider: 'main' } }]);
  });
});

t.test('what cannot be recorded has been sent all the same, and its outcome stays open', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await startGateway(t);
    const log = recordingLog();
    const bench = await openBench(t, storage, [httpProvider('main', `${gateway.url}/ok`)], log);
    bench.delivery.onOutcome((db) => [db.insertInto('revisions').values({ topic: sql`null`, n: 0 })]);
    const message = await bench.queue();
    t.match(await bench.delivery.send(message), { status: 'accepted' });
    t.match(log.lines, [{ level: 'error', message: 'outcome not recorded' }]);
    t.match(await rowOf(storage.db, message.id), { status: 'sending' });
  });
});
