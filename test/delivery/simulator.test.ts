import t, { type Test } from 'tap';
import { registerSimulator, texts } from '../../src/delivery/index.ts';
import type { NewMessage } from '../../src/delivery/types.ts';
import { texts as pageTexts } from '../../src/http/texts.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { openTestHttp } from '../helpers/http.ts';
import { crypto, dump, issuer, openBench, saveProviders } from './service-support.ts';

const provider = (channel: string, enabled = true) => ({
  id: channel,
  channel,
  preset: 'simulator',
  enabled,
});

async function open(t: Test, storage: Storage) {
  const bench = await openBench(t, storage, [provider('sms'), provider('email')]);
  const { app, http } = await openTestHttp({ texts: { ...pageTexts, ...texts } });
  t.teardown(() => app.close());
  registerSimulator(app, {
    http,
    db: storage.db,
    crypto,
    clock: { now: () => bench.now },
    issuer,
    configured: bench.delivery.simulatorConfigured,
  });
  const get = (url: string, headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') =>
    app.inject({ url, remoteAddress, headers: { host: 'localhost:3000', ...headers } });
  return { bench, get };
}

t.test('messages appear on the page and as JSON', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { bench, get } = await open(t, storage);
    t.match((await get('/simulator')).body, /Nothing has left this machine/);
    const text = 'Use 493817 <b>now</b>.\n\n@id.example #493817';
    t.match(await bench.delivery.send(await bench.queue({ text })), { status: 'accepted' });
    bench.now = new Date(bench.now.getTime() + 1_000);
    await bench.delivery.send(await bench.queue({ text: 'second 111222', code: '111222' }));
    await bench.delivery.send(
      await bench.queue({ to: '+15005550006', text: 'other 333444', code: '333444' }),
    );
    await bench.delivery.send(await bench.queue({ channel: 'email', to: 'a@example.test', text: 'mail' }));

    const found = (await get('/simulator/messages?to=%2B447700900123')).json();
    t.match(found.messages, [
      { channel: 'sms', to: '+447700900123', text: 'second 111222', code: '111222' },
      { channel: 'sms', to: '+447700900123', text, code: '493817', app: 'Demo shop' },
    ]);
    t.equal(found.messages.length, 2);
    t.equal((await get('/simulator/messages?to=+447700900123')).json().messages.length, 2, 'a bare plus');
    t.equal((await get('/simulator/messages?to=447700900123')).json().messages.length, 2, 'no plus');
    t.equal((await get('/simulator/messages?to=a@example.test')).json().messages.length, 1);
    t.equal((await get('/simulator/messages')).json().messages.length, 4);
    t.same((await get('/simulator/messages?to=%2B4999')).json(), { messages: [] });

    const page = await get('/simulator?to=%2B447700900123');
    t.equal(page.statusCode, 200);
    t.equal(page.headers['cache-control'], 'no-store');
    t.match(page.body, /<mark>493817<\/mark> &lt;b&gt;now&lt;\/b&gt;/);
    t.ok(page.body.indexOf('493817') < page.body.indexOf('111222'), 'the oldest first');
    t.match(page.body, /data-copy="111222"/);
    t.notMatch(page.body, /333444/);
    t.match(page.body, /href="\/simulator\?to&#x3D;%2B15005550006/);
    for (const clear of ['493817', '7700900123']) t.notOk((await dump(storage.db)).includes(clear));

    bench.now = new Date(bench.now.getTime() + 86_400_001);
    t.same((await get('/simulator/messages')).json(), { messages: [] }, 'gone after a day');
  });
});

t.test('a mail has a subject, and neither it nor the address stands anywhere in clear', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { bench, get } = await open(t, storage);
    const mail: Partial<NewMessage> & { to: string; text: string } = {
      ...{ channel: 'email', to: 'Ada.Lovelace@example.test', subject: 'Your <b>code</b>' },
      text: 'Use 493817.',
    };
    await bench.delivery.send(await bench.queue(mail));
    bench.now = new Date(bench.now.getTime() + 1_000);
    await bench.delivery.send(await bench.queue({ ...mail, subject: null, text: 'second' }));
    const address = encodeURIComponent(mail.to);
    const { messages } = (await get(`/simulator/messages?to=${address}`)).json();
    t.match(messages, [
      { channel: 'email', to: mail.to, subject: 'Demo shop', text: 'second' },
      { channel: 'email', to: mail.to, subject: mail.subject, text: mail.text, code: '493817' },
    ]);
    const page = await get(`/simulator?to=${address}`);
    t.match(page.body, /<h1>/);
    t.match(
      page.body,
      /Subject: <\/span>Your &lt;b&gt;code&lt;\/b&gt;<\/p>\s*<p class="bubble">Use <mark>493817/,
    );
    t.match(page.body, mail.to);
    const rows = await dump(storage.db);
    for (const clear of ['493817', 'Lovelace', 'Your <b>']) t.notOk(rows.includes(clear), clear);
    await bench.delivery.send(await bench.queue({ to: '+447700900123', subject: 'not of an SMS' }));
    const sms = (await get('/simulator/messages?to=%2B447700900123')).json();
    t.equal(sms.messages[0].subject, null);
  });
});

t.test('only on the machine, and only when configured', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { bench, get } = await open(t, storage);
    const cases: [headers: Record<string, string>, peer: string, status: number][] = [
      [{}, '127.0.0.1', 200],
      [{}, '::1', 200],
      [{}, '::ffff:127.0.0.1', 200],
      [{ host: '127.0.0.1:3000' }, '127.0.0.1', 200],
      [{ host: '[::1]:3000' }, '127.0.0.1', 200],
      [{ host: issuer.host }, '127.0.0.1', 200],
      [{ host: 'rebinding.example' }, '127.0.0.1', 403],
      [{ host: 'localhost.evil.example' }, '127.0.0.1', 403],
      [{ 'x-forwarded-for': '203.0.113.5' }, '127.0.0.1', 403],
      [{ forwarded: 'for=203.0.113.5' }, '127.0.0.1', 403],
      [{}, '192.168.1.20', 403],
      [{}, '203.0.113.5', 403],
    ];
    for (const path of ['/simulator', '/simulator/messages']) {
      for (const [headers, peer, status] of cases) {
        t.equal(
          (await get(path, headers, peer)).statusCode,
          status,
          `${path} ${JSON.stringify(headers)} ${peer}`,
        );
      }
    }
    await saveProviders(storage, [provider('sms', false), provider('email', false)]);
    await bench.delivery.reload();
    for (const path of ['/simulator', '/simulator/messages']) t.equal((await get(path)).statusCode, 404);
  });
});
