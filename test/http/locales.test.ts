import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLocales } from '../../src/http/locales.ts';
import { text } from '../../src/lib/texts.ts';

const english = {
  hello: 'Hello {name}',
  only: 'Only English',
  left: { one: '{count} code left', other: '{count} codes left' },
  pair: '{a}{b} and {a-b}',
};

function localesOf(t: { testdir(): string }) {
  const folder = join(t.testdir(), 'locales');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'de.json'),
    JSON.stringify({
      hello: 'Hallo {name}',
      left: { one: 'Noch {count} Code', other: 'Noch {count} Codes' },
    }),
  );
  writeFileSync(
    join(folder, 'fr.json'),
    JSON.stringify({ left: { one: '{count} code', other: '{count} codes' } }),
  );
  return createLocales(english, folder);
}

t.test('sentences are filled in, in the plural that the language asks for', async (t) => {
  const { translate, tags } = localesOf(t);
  t.same(tags, ['en', 'de', 'fr']);
  const cases: [string, ReturnType<typeof text>, string][] = [
    ['en', text('hello', { name: 'Ada' }), 'Hello Ada'],
    ['de', text('hello', { name: '{count}' }), 'Hallo {count}'],
    ['de', text('only'), 'Only English'],
    ['en', text('left', { count: 1 }), '1 code left'],
    ['en', text('left', { count: 0 }), '0 codes left'],
    ['fr', text('left', { count: 0 }), '0 code'],
    ['de', text('left', { count: 12345 }), 'Noch 12.345 Codes'],
    ['fr', text('hello', { name: 'Ada' }), 'Hello Ada'],
    ['xx', text('hello', { name: 'Ada' }), 'Hello Ada'],
    ['en', text('unwritten.key'), 'unwritten.key'],
    ['en', text('pair', { a: '$&{b}', b: 1 }), '$&{b}1 and {a-b}'],
    ['de', text('pair', { b: 1234 }), '{a}1,234 and {a-b}'],
    ['en', text('left', { count: '#' }), '# codes left'],
  ];
  // The first time a text is read, the second time it is known.
  for (const [locale, value, expected] of [...cases, ...cases]) t.equal(translate(locale, value), expected);
});

t.test('the reader is answered in the best language that both speak', async (t) => {
  const { negotiate } = localesOf(t);
  const cases: [string | null, string | undefined, string][] = [
    [null, undefined, 'en'],
    [null, 'de-AT,de;q=0.9,en;q=0.8', 'de'],
    [null, 'en;q=0.5, fr;q=0.7', 'fr'],
    [null, 'it, fr;q=0.1', 'fr'],
    [null, 'de;q=0, fr;q=0', 'en'],
    [null, ';;;,q=x', 'en'],
    ['it fr-CA de', 'de', 'fr'],
    ['it', 'de', 'de'],
    ['', 'DE', 'de'],
    [`${'x '.repeat(5000)}de`, undefined, 'en'],
  ];
  for (const [preferred, header, expected] of cases) t.equal(negotiate(preferred, header), expected);
});
