/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written like this */
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import {
  ConfigurationError,
  createConfiguration,
  createReferences,
  createSettings,
} from '../../src/config/index.ts';
import type { Change, Configuration, Documents } from '../../src/config/types.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { silent } from '../helpers/log.ts';
import { folderWith, sections } from './fixtures.ts';

const now = new Date('2026-03-01T12:00:00Z');

function configurationOn(
  storage: Storage,
  env: Record<string, string> = {},
  onApplied: (changes: Change[]) => void = () => {},
  among = sections,
): Configuration {
  return createConfiguration({
    sections: among,
    storage,
    references: createReferences(env),
    clock: { now: () => now },
    log: silent,
    onApplied: async (_tx, changes) => onApplied(changes),
  });
}

const files = {
  'gateway.yaml': 'colour: { name: red }',
  'boxes.yaml': 'boxes:\n  - { id: big, size: 9, key: "${env:KEY:-k}" }\n  - { id: small }\n',
  'things.yaml': 'things:\n  - { id: hat, box: big }\n',
  'people.yaml': 'people: [{ id: ada }]',
};

function documentsOf(t: Test, configuration: Configuration, given: Record<string, string>): Documents {
  const { documents, faults } = configuration.read(folderWith(t, given));
  t.strictSame(faults, []);
  return documents;
}

const brief = (changes: Change[] | null) =>
  changes?.map(({ action, member, id, paths }) => [action, member, id, ...paths].join(' '));

async function faultsOf(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

t.test('from files to the database and back', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const told: string[][] = [];
    const configuration = configurationOn(storage, {}, (changes) => told.push(brief(changes) ?? []));
    const documents = documentsOf(t, configuration, files);
    const all = [
      'create gateway colour',
      'create boxes big',
      'create boxes small',
      'create things hat',
      'create people ada',
    ];
    t.strictSame(brief(await configuration.diff(documents)), all);
    t.strictSame(brief(await configuration.apply(documents, { prune: false })), all);
    t.strictSame(brief(await configuration.diff(documents)), []);
    t.strictSame(brief(await configuration.apply(documents, { prune: true })), []);
    t.strictSame(told, [all], 'told once, of what really changed');
    const person = await storage.db
      .selectFrom('settings')
      .select('document')
      .where('section', '=', 'people/ada')
      .executeTakeFirst();
    t.match(person, { document: { resolved: { prepared: true } } }, 'slow work was done before');

    const exported = await configuration.export();
    t.strictSame(Object.keys(exported), ['gateway.yaml', 'boxes.yaml', 'things.yaml']);
    t.strictSame(parse(exported['boxes.yaml'] ?? ''), parse(files['boxes.yaml']), 'references as references');
    t.match(exported['boxes.yaml'], /id: big\n {4}size: 9\n {4}key:/, 'in the schema’s order');
    const again = documentsOf(t, configuration, exported);
    t.strictSame(brief(await configuration.diff(again)), []);
  }),
);

t.test('changes, and what only the database has', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const configuration = configurationOn(storage);
    await configuration.apply(documentsOf(t, configuration, files), { prune: false });
    const changed = documentsOf(t, configuration, {
      'gateway.yaml': '',
      'boxes.yaml': 'boxes:\n  - { id: big, size: 10, key: "${env:KEY:-k}" }\n',
      'people.yaml': 'people: []',
    });
    t.strictSame(brief(await configuration.diff(changed)), [
      'delete gateway colour',
      'update boxes big size',
      'delete boxes small',
    ]);
    t.strictSame(brief(await configuration.apply(changed, { prune: false })), ['update boxes big size']);
    t.strictSame(brief(await configuration.apply(changed, { prune: true })), [
      'delete gateway colour',
      'delete boxes small',
    ]);
    t.strictSame(
      [...Object.keys(await configuration.export())],
      ['boxes.yaml', 'things.yaml'],
      'no file, no pruning',
    );

    const cutOff = documentsOf(t, configuration, { 'boxes.yaml': '# nothing yet' });
    t.strictSame(brief(await configuration.apply(cutOff, { prune: true })), [], 'nor with an empty file');
    t.ok((await configuration.export())['boxes.yaml']);

    const elsewhere = configurationOn(storage, { KEY: 'other' });
    const same = documentsOf(t, elsewhere, {
      'boxes.yaml': 'boxes: [{ id: big, size: 10, key: "${env:KEY:-k}" }]',
    });
    t.strictSame(
      brief(await elsewhere.diff(same)),
      ['update boxes big'],
      'only the value behind the reference',
    );
  }),
);

t.test('what is wrong in the light of the database', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const configuration = configurationOn(storage);
    const things = documentsOf(t, configuration, { 'things.yaml': files['things.yaml'] });
    t.strictSame(await faultsOf(configuration.diff(things)), [
      "things.yaml: things[0].box: names no box: 'big'",
    ]);
    await configuration.apply(documentsOf(t, configuration, files), { prune: false });
    t.strictSame(await faultsOf(configuration.diff(things)), [], 'the database has the box');

    const pruning = documentsOf(t, configuration, { 'boxes.yaml': 'boxes: [{ id: small }]' });
    t.strictSame(await faultsOf(configuration.apply(pruning, { prune: false })), []);
    t.strictSame(await faultsOf(configuration.apply(pruning, { prune: true })), [
      "database: things 'hat'.box: names no box: 'big'",
    ]);
    const plaid = documentsOf(t, configuration, { 'gateway.yaml': 'colour: { name: plaid }' });
    t.strictSame(await faultsOf(configuration.apply(plaid, { prune: false })), [
      'gateway.yaml: colour.name: is no colour',
    ]);
  }),
);

t.test('a document that is refused when it is saved leaves nothing changed', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const configuration = configurationOn(storage);
    const documents = documentsOf(t, configuration, {
      'boxes.yaml': 'boxes: [{ id: fine }, { id: refused }]',
    });
    t.strictSame(await faultsOf(configuration.apply(documents, { prune: false })), [
      'boxes.yaml: boxes[1].id: is refused when it is saved',
    ]);
    t.strictSame(await configuration.export(), {});
    const { documents: invalid } = configuration.read(
      folderWith(t, { 'boxes.yaml': 'boxes: [{ id: a, sise: 1 }]' }),
    );
    t.strictSame(await faultsOf(configuration.apply(invalid, { prune: false })), [
      'boxes.yaml: boxes[0]: is not valid',
    ]);
  }),
);

t.test('an empty database takes the files once', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const configuration = configurationOn(storage);
    const folder = folderWith(t, files);
    const wrong = folderWith(t, {
      ...files,
      'boxes.yaml': 'boxes: [{ id: big }, { id: b, sise: 1 }]',
      'things.yaml': 'things: [{ id: a, box: c }]',
    });
    t.strictSame(await faultsOf(configuration.applyToEmpty(wrong)), [
      "boxes.yaml: boxes[1].sise: is unknown; did you mean 'size'?",
      "things.yaml: things[0].box: names no box: 'c'",
    ]);
    t.equal((await configuration.applyToEmpty(folder))?.length, 5);
    t.equal(await configuration.applyToEmpty(folder), null);
    t.equal(await configuration.applyToEmpty(wrong), null, 'not even read');
  }),
);

t.test('files applied by hand are not applied over at the next start', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const configuration = configurationOn(storage);
    await configuration.apply(documentsOf(t, configuration, { 'boxes.yaml': 'boxes: []' }), { prune: false });
    t.equal(await configuration.applyToEmpty(folderWith(t, files)), null);
  }),
);

t.test('of sixteen instances that start on an empty database one applies the files', (t) =>
  postgresOnly(t, async (t, storage) => {
    const folder = folderWith(t, files);
    const applied = await Promise.all(
      Array.from({ length: 16 }, () => configurationOn(storage).applyToEmpty(folder)),
    );
    t.equal(applied.filter((changes) => changes !== null).length, 1);
    t.strictSame(Object.keys(await configurationOn(storage).export()), [
      'gateway.yaml',
      'boxes.yaml',
      'things.yaml',
    ]);
  }),
);

t.test('of sixteen who apply the same new person at once one creates it', (t) =>
  postgresOnly(t, async (t, storage) => {
    // Slow enough that each would find nobody there if they did not wait for each other.
    let saved = 0;
    const slow = sections.map((section) =>
      section.kind === 'collection' && section.createOnly
        ? {
            ...section,
            save: async (...args: Parameters<typeof section.save>) => {
              saved += 1;
              await new Promise((resolve) => setTimeout(resolve, 50));
              return section.save(...args);
            },
          }
        : section,
    );
    const configuration = configurationOn(storage, {}, () => {}, slow);
    await configuration.apply(documentsOf(t, configuration, { 'boxes.yaml': 'boxes: []' }), { prune: false });
    const documents = documentsOf(t, configuration, { 'people.yaml': 'people: [{ id: ann }]' });
    const applied = await Promise.all(
      Array.from({ length: 16 }, () => configuration.apply(documents, { prune: false })),
    );
    t.equal(applied.filter((changes) => changes.length > 0).length, 1);
    t.equal(saved, 1);
  }),
);

t.test('settings in force', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const configuration = configurationOn(storage, { DEPTH: '4' });
    const settings = createSettings({ sections, storage, log: silent });
    t.strictSame(settings.get('colour'), { name: 'grey', depth: 8 }, 'defaults before the first load');
    t.throws(() => settings.get('color'), /no setting named color/);
    await settings.load();
    const documents = documentsOf(t, configuration, { 'gateway.yaml': 'colour: { depth: "${env:DEPTH}" }' });
    await configuration.apply(documents, { prune: false });
    await until(() => settings.get<{ depth: number }>('colour').depth === 4);
    t.strictSame(settings.get('colour'), { name: 'grey', depth: 4 });
  }),
);

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
}
