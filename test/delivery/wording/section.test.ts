import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { createValidator } from '../../../src/config/index.ts';
import type { Candidate, Loaded } from '../../../src/config/types.ts';
import { messagesSection } from '../../../src/delivery/index.ts';
import { listSimulated } from '../../../src/delivery/simulator/store.ts';
import type { WordsRequest } from '../../../src/delivery/types.ts';
import type { MessageDocument } from '../../../src/delivery/wording/document.ts';
import type { Storage } from '../../../src/storage/types.ts';
import { forEachDatabase } from '../../helpers/database.ts';
import { crypto, issuer, openBench, saveChannels } from '../service-support.ts';

const sectionOn = (revisions: Pick<Storage['revisions'], 'bump'>) => messagesSection({ issuer, revisions });
const section = sectionOn({ bump: async () => {} });
const now = new Date('2026-03-01T10:00:00Z');
const loaded = (raw: object): Loaded => ({ raw: raw as Loaded['raw'], resolved: raw as Loaded['raw'] });
const candidate: Candidate = {
  setting: () => undefined,
  collection: () => new Map([['shop', loaded({ id: 'shop' })]]),
};

const faultsOf = (raw: object): string[] => {
  const { faults } = createValidator(section.schema)(raw, raw);
  const all = faults.length > 0 ? faults : (section.check?.(loaded(raw), candidate) ?? []);
  return all.map(({ path, message }) => `${path}: ${message}`);
};

t.test('what may be said', async (t) => {
  const whole = {
    ...{ app: 'shop', locale: 'de-AT', channel: 'email', purpose: 'enrol-code' },
    ...{ text: 'Code {{code}} ({{app}}, {{minutes}}, {{host}})\n', subject: '{{app}} {{minutes}} {{host}}' },
  };
  for (const document of [
    whole,
    { transliterate: true },
    { autofill: false },
    { text: '{{code}}', subject: 'x' },
  ])
    t.same(faultsOf(document), []);
  const cases: [document: object, expected: RegExp[]][] = [
    [{ app: 'shop' }, [/^: changes nothing: it needs text, subject, autofill or transliterate$/]],
    [{ text: 'Hello {{app}}' }, [/^text: never says \{\{code\}\}$/]],
    [{ text: '{{cdoe}}' }, [/^text: unknown placeholder \{\{cdoe\}\} .*\{\{code\}\}, .* and \{\{host\}\}$/]],
    [
      { text: '{{code}} {{user}} {code}' },
      [/^text: unknown .*user/, /^text: unknown .*\{code\} .*did you mean/],
    ],
    [{ text: '{{code}}\u0007' }, [/^text: holds control/]],
    [{ text: '' }, [/^text: /]],
    [{ text: 'x'.repeat(2_001) }, [/^text: /]],
    [{ subject: 'Code {{code}}' }, [/^subject: stands in the logs of mail servers/]],
    [
      { subject: 'Hi {{ap}}' },
      [/^subject: .*did you mean \{\{app\}\}.*known here: \{\{app\}\}, \{\{minutes\}\} and/],
    ],
    [{ subject: 'a\nb' }, [/^subject: is one line/]],
    [{ subject: 'a', channel: 'sms' }, [/^subject: is for mails/]],
    [{ autofill: true, channel: 'voice' }, [/^autofill: is for SMS/]],
    [{ transliterate: true, channel: 'email' }, [/^transliterate: is for SMS/]],
    [{ text: '{{code}}', app: 'shpo' }, [/^app: there is no app 'shpo'; did you mean 'shop'\?$/]],
    [{ text: '{{code}}', locale: 'german please' }, [/^locale: /]],
    [{ text: '{{code}}', channel: 'fax' }, [/^channel: /]],
    [{ text: '{{code}}', purpose: 'spam' }, [/^purpose: /]],
    [{ text: '{{code}}', transliterated: true }, [/^transliterated: .*transliterate/]],
  ];
  for (const [document, expected] of cases) {
    const faults = faultsOf(document);
    t.equal(faults.length, expected.length, `${JSON.stringify(document)}: ${faults.join(' | ')}`);
    for (const [index, message] of expected.entries()) t.match(faults[index], message);
  }
});

t.test('what it warns of', async (t) => {
  const advice = (document: MessageDocument, others: MessageDocument[] = []): string[] =>
    (section.advise?.(loaded(document), [document, ...others].map(loaded)) ?? []).map(
      ({ path, message }) => `${path}: ${message}`,
    );
  const long = `{{code}} ${'a'.repeat(160)}`;
  const quoted = `“{{code}}” ist Ihr Code für ‘{{app}}’ – er gilt {{minutes}} Minuten…`;
  t.strictSame(advice({ text: long }), [
    'text: goes out as 2 messages, and each is paid for: 188 septets of GSM-7, where one holds 160: shorten it by 28',
  ]);
  t.same(advice({ text: long, channel: 'email' }), [], 'a mail may be long');
  t.same(
    advice({ text: `{{code}} ${'a'.repeat(140)}`, autofill: false }),
    [],
    'without the last line it fits',
  );
  t.equal(advice({ text: `{{code}} ${'a'.repeat(140)}` }).length, 1);
  t.strictSame(advice({ text: quoted }), [
    'text: goes out as 2 messages, and each is paid for: 78 characters of UCS-2, where one holds 70, because of “ (U+201C), ” (U+201D), ‘ (U+2018), ’ (U+2019), – (U+2013), 1 more: write plain ones, or say transliterate: true: it would be 1 message then',
  ]);
  t.same(advice({ text: quoted, transliterate: true }), []);
  t.same(advice({ text: quoted, locale: 'de' }, [{ transliterate: true }]), [], 'said in another entry');
  t.equal(
    advice({ text: quoted, locale: 'de' }, [{ app: 'shop', transliterate: true }]).length,
    1,
    'of others',
  );
  const bySms = { app: 'shop', channel: 'sms' } as const;
  t.same(advice({ app: 'shop', text: quoted }, [{ ...bySms, transliterate: true }]), [], 'said for SMS');
  t.same(
    advice({ app: 'shop', text: long }, [{ ...bySms, text: '{{code}}' }]),
    [],
    'it never goes out by SMS',
  );
  t.match(advice({ text: `{{code}}\u200d ${'я'.repeat(60)}` }), [
    /U\+200D, я \(U\+044F\): shorten it by 19$/,
  ]);
  t.same(advice({ text: `{{cod}} ${'a'.repeat(200)}` }), [], 'first what is wrong');
  t.same(advice({ transliterate: true }), []);
});

t.test('the example and the documentation are without fault', async (t) => {
  const read = (file: string) => readFileSync(join(import.meta.dirname, '../../..', file), 'utf8');
  const shown = [...read('docs/messages.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    ([, yaml = '']) => yaml,
  );
  t.equal(shown.length, 2);
  for (const text of [read('config/messages.yaml'), ...shown]) {
    const { messages } = parse(text) as { messages: Record<string, unknown>[] };
    t.ok(messages.length > 0);
    for (const document of messages) {
      t.same(faultsOf(document), []);
      t.same(section.advise?.(loaded(document), messages.map(loaded)), []);
    }
  }
});

t.test('stored, listed, compared and removed', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const stored = sectionOn(storage.revisions);
    const raw = { app: 'shop', locale: 'DE', text: '{{code}} \u0024{env:WHO}' };
    const item = { raw, resolved: { ...raw, text: '{{code}} us' } };
    const save = (given: Loaded) => storage.transaction((tx) => stored.save(tx, given, 0, now));
    t.equal(await stored.same(storage.db, item, 0), false);
    await save(item);
    t.same([...(await stored.list(storage.db))], [['shop/de/*/*', raw]], 'as it was written');
    t.equal(await stored.same(storage.db, item, 0), true);
    const changed = { raw, resolved: { ...raw, text: '{{code}} them' } };
    t.equal(await stored.same(storage.db, changed, 0), false, 'what a reference stands for counts');
    await save(changed);
    t.equal(await stored.same(storage.db, changed, 0), true);
    await storage.transaction((tx) => stored.remove(tx, 'shop/de/*/*'));
    t.equal((await stored.list(storage.db)).size, 0);
  });
});

const request: WordsRequest = {
  ...{ channel: 'sms', purpose: 'login-code', app: { id: 'shop', name: 'Demo shop' }, locale: 'de' },
  ...{ code: '493817', minutes: 5, otherwise: { text: 'built in 493817', subject: 'Built in' } },
};

t.test('in force for all instances, and what follows a message says it its own way', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const simulator = (channel: string) => ({ id: channel, channel, preset: 'simulator' });
    const bench = await openBench(t, storage, ['sms', 'voice'].map(simulator));
    const other = await bench.another(storage);
    const { delivery } = bench;
    t.equal(delivery.words(request).text, 'built in 493817\n\n@id.example #493817');
    const stored = sectionOn(storage.revisions);
    await storage.transaction(async (tx) => {
      for (const raw of [
        { app: 'shop', locale: 'de', text: '{{code}} für {{app}}' },
        { app: 'shop', locale: 'de', channel: 'voice', text: 'Hier ist {{app}}: {{code}}.' },
      ])
        await stored.save(tx, loaded(raw), 0, now);
    });
    await storage.revisions.refresh();
    const text = '493817 für Demo shop\n\n@id.example #493817';
    for (const instance of [bench, other]) {
      const said = () => instance.delivery.words(request).text;
      for (let waited = 0; said() !== text && waited < 200; waited++)
        await new Promise((resolve) => setTimeout(resolve, 10));
      t.equal(said(), text, 'without a restart');
    }

    await saveChannels(storage, [{ id: 'sms', workflow: [{ after: '25s', channel: 'voice' }] }]);
    await delivery.reload();
    const words = (channel: 'sms' | 'voice' | 'email') => delivery.words({ ...request, channel });
    const sent = await bench.queue({ ...words('sms'), words, code: '493817', locale: 'de' });
    t.equal((await delivery.send(sent)).status, 'accepted');
    bench.now = new Date(bench.now.getTime() + 26_000);
    await delivery.followUp(bench.now);
    await delivery.close();
    const all = await listSimulated(storage.db, crypto, sent.to, bench.now);
    t.same(
      all.map(({ channel, text }) => [channel, text]),
      [
        ['voice', 'Hier ist Demo shop: 493817.'],
        ['sms', text],
      ],
    );
  });
});
