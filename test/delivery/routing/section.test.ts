import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { createValidator } from '../../../src/config/index.ts';
import type { Candidate, Loaded } from '../../../src/config/types.ts';
import { channelsSection, providersSection } from '../../../src/delivery/index.ts';
import { forEachDatabase } from '../../helpers/database.ts';
import { startGateway } from '../hostile-gateway.ts';
import { crypto, httpProvider, openBench, saveChannels } from '../service-support.ts';
import { references } from '../support.ts';

const section = channelsSection({ revisions: { bump: async () => {} } });
const now = new Date('2026-03-01T10:00:00Z');

const items = (entries: Record<string, Record<string, unknown>>): Map<string, Loaded> =>
  new Map(Object.entries(entries).map(([id, raw]) => [id, { raw, resolved: raw }]));

const candidate: Candidate = {
  setting: () => undefined,
  collection: (member) =>
    member === 'apps'
      ? items({ shop: {} })
      : items({ main: { channel: 'sms' }, spare: { channel: 'sms' }, calls: { channel: 'voice' } }),
};

const faultsOf = (raw: Record<string, unknown>) => {
  const validate = createValidator(section.schema);
  const { faults } = validate(structuredClone(raw), raw);
  if (faults.length > 0) return faults.map(({ path }) => path);
  return (section.check?.({ raw, resolved: raw }, candidate) ?? []).map(
    ({ path, message }) => `${path}: ${message}`,
  );
};

t.test('what may be said', async (t) => {
  const whole = {
    id: 'sms',
    providers: [{ split: { main: 80, spare: 20 } }],
    routes: [{ countries: ['GB'], prefixes: ['+4477'], apps: ['shop'], providers: ['spare', 'main'] }],
    workflow: [
      { after: '25s', channel: 'voice' },
      { after: '2m', unless: 'read', providers: ['spare'] },
    ],
  };
  t.same(faultsOf(whole), []);
  t.same(faultsOf({ id: 'sms' }), []);
  for (const [name, document, expected] of [
    ['an unknown provider', { providers: ['mian'] }, [/^providers: names 'mian'.*did you mean 'main'/]],
    ['in a split', { providers: [{ split: { main: 1, no: 1 } }] }, [/^providers: names 'no'/]],
    ['of another channel', { providers: ['calls'] }, [/sends by voice and not by sms/]],
    [
      'an unknown country',
      { routes: [{ countries: ['UK'], providers: ['main'] }] },
      [/^routes\[0\].countries: 'UK'/],
    ],
    ['an unknown app', { routes: [{ apps: ['shpo'], providers: ['main'] }] }, [/there is no app 'shpo'/]],
    ['a route that says nothing', { routes: [{ providers: ['main'] }] }, [/needs countries, prefixes or/]],
    ['a follow-up by itself', { workflow: [{ after: '25s' }] }, [/needs another channel, or providers/]],
    ['a follow-up too soon', { workflow: [{ after: '1s', channel: 'voice' }] }, [/between 5s and 10m/]],
    [
      'a follow-up by a provider that cannot',
      { workflow: [{ channel: 'voice', providers: ['main'] }] },
      [/sends by sms and not by voice/],
    ],
    ['a prefix without plus', { routes: [{ prefixes: ['44'], providers: ['main'] }] }, [/prefixes/]],
    ['an empty list', { providers: [] }, [/providers/]],
    ['a channel that is none', { id: 'pigeon' }, [/id/]],
  ] as [string, Record<string, unknown>, RegExp[]][]) {
    t.match(faultsOf({ id: 'sms', ...document }), expected, name);
  }
});

t.test('what the documentation shows can be said', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/delivery.md'), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block = '']) => parse(block));
  t.equal(blocks.length, 4);
  for (const { channels = [], providers = [] } of blocks) {
    for (const document of channels) t.same(faultsOf(document), []);
    for (const document of providers) {
      const owner = providersSection({ crypto, references, revisions: { bump: async () => {} } });
      const { faults } = createValidator(owner.schema)(structuredClone(document), document);
      t.same([...faults, ...(owner.check?.({ raw: document, resolved: document }, candidate) ?? [])], []);
    }
  }
});

t.test('stored, compared, removed', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const raw = { id: 'sms', providers: ['main'] };
    const item = { id: 'sms', path: '', valid: true, raw, resolved: raw };
    t.notOk(await section.same(storage.db, item, 0));
    await storage.transaction((tx) => section.save(tx, item, 0, now));
    t.ok(await section.same(storage.db, item, 0));
    const other = { ...raw, providers: ['spare'] };
    t.notOk(await section.same(storage.db, { ...item, raw: other, resolved: other }, 0));
    t.same(await section.list(storage.db), new Map([['sms', raw]]));
    await storage.transaction((tx) => section.remove(tx, 'sms'));
    t.equal((await section.list(storage.db)).size, 0);
  });
});

t.test('messages go the way that the channel says', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await startGateway(t);
    const bench = await openBench(t, storage, [
      httpProvider('main', `${gateway.url}/ok/main`),
      httpProvider('spare', `${gateway.url}/ok/spare`),
      httpProvider('broken', `${gateway.url}/busy/broken`),
    ]);
    await saveChannels(storage, [
      {
        id: 'sms',
        providers: ['spare'],
        routes: [{ countries: ['US'], providers: ['broken', 'main'] }],
      },
    ]);
    await bench.delivery.reload();
    const asked = async (to: string) => {
      gateway.received.length = 0;
      await bench.delivery.send(await bench.queue({ to }));
      return gateway.received.map(({ path }) => path.split('/').at(-1));
    };
    t.same(await asked('+447700900123'), ['spare']);
    t.same(await asked('+12025550123'), ['broken', 'main'], 'failover within the route');
    await saveChannels(storage, [{ id: 'sms', providers: ['broken'] }]);
    await bench.delivery.reload();
    t.same(await asked('+12025550124'), ['broken'], 'and nobody else than the list');
  });
});
