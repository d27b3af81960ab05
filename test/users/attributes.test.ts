import t from 'tap';
import type { Candidate } from '../../src/config/types.ts';
import { attributeFaults } from '../../src/users/attributes.ts';
import { attributesSection } from '../../src/users/index.ts';
import { forEachDatabase } from '../helpers/database.ts';

const loaded = (resolved: Record<string, unknown>) => ({ raw: resolved, resolved });
const level = loaded({ name: 'level', type: 'number' });
const tags = loaded({ name: 'tags', type: 'list', description: 'What for.' });

t.test('attributes are kept as they were written', (t) =>
  forEachDatabase(t, async (t, { db, transaction }) => {
    const { list, remove, same, save } = attributesSection;
    const at = (ms: number) => new Date(1_700_000_000_000 + ms);
    t.equal(await same(db, level, 0), false);
    await transaction((tx) => save(tx, tags, 0, at(0)));
    await transaction((tx) => save(tx, level, 1, at(1)));
    t.equal(await same(db, level, 1), true);
    const text = loaded({ ...level.resolved, type: 'string' });
    t.equal(await same(db, text, 1), false);
    await transaction((tx) => save(tx, text, 1, at(2)));
    t.strictSame(
      [...(await list(db))],
      [
        ['tags', tags.resolved],
        ['level', text.resolved],
      ],
    );
    await transaction((tx) => remove(tx, 'tags'));
    t.strictSame([...(await list(db)).keys()], ['level']);
  }),
);

t.test('values are what is declared of them', async (t) => {
  const declared = [
    level,
    tags,
    loaded({ name: 'staff', type: 'boolean' }),
    loaded({ name: 'town', type: 'string' }),
  ];
  const candidate: Candidate = {
    collection: () => new Map(declared.map((one) => [String(one.resolved.name), one])),
    setting: () => undefined,
  };
  const right = { level: 3.5, tags: ['a'], staff: false, town: 'Ulm', other: { any: 'thing' } };
  t.strictSame(attributeFaults(right, candidate), []);
  const wrong = { level: '3', tags: ['a', 1], staff: 'no', town: 7 };
  t.strictSame(
    attributeFaults(wrong, candidate).map(({ path }) => path),
    ['attributes.level', 'attributes.tags', 'attributes.staff', 'attributes.town'],
  );
});
