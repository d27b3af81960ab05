import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { templateFiles } from '../../src/http/templates.ts';
import type { Catalogue } from '../../src/lib/texts.ts';
import { viewsDir } from '../helpers/http.ts';
import { allTexts } from '../helpers/texts.ts';

const english = await allTexts();
const folder = join(viewsDir, 'locales');
const locales = readdirSync(folder).map((file) => {
  const catalogue: Catalogue = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  return { tag: file.replace('.json', ''), catalogue };
});

const formsOf = (entry: Catalogue[string]) => (typeof entry === 'string' ? [entry] : Object.values(entry));
const formsByName = (entry: Catalogue[string]): Record<string, string> =>
  typeof entry === 'string' ? { other: entry } : { ...entry };
const placeholdersOf = (sentence: string) => [...new Set(sentence.match(/\{\w+\}/g))].sort();

t.test('every text stands in every locale, whole and with the same placeholders', async (t) => {
  t.same(
    locales.map(({ tag }) => tag),
    ['de', 'es', 'fr'],
  );
  for (const { tag, catalogue } of locales) {
    t.same(
      Object.keys(catalogue).sort(),
      Object.keys(english).sort(),
      `${tag} has the keys that English has`,
    );
    for (const [key, entry] of Object.entries(english)) {
      const translated = catalogue[key] ?? '';
      t.equal(typeof translated, typeof entry, `${tag}: ${key} has plural forms where English has`);
      const expected = placeholdersOf(formsOf(entry).join(' '));
      for (const [form, sentence] of Object.entries(formsByName(translated))) {
        // “Your last one” says the count in words.
        const spoken = form === 'one' ? expected.filter((name) => name !== '{count}') : expected;
        const present = placeholdersOf(sentence).filter((name) => form !== 'one' || name !== '{count}');
        t.same(present, spoken, `${tag}: ${key} has its placeholders`);
        t.match(sentence, /\S/, `${tag}: ${key} says something`);
      }
    }
  }
});

t.test('plural forms are those that the language asks for', async (t) => {
  for (const { tag, catalogue } of [{ tag: 'en', catalogue: english }, ...locales]) {
    // Millions of anything do not occur here; `many` is for them in French and Spanish.
    const categories = [0, 1, 2, 5, 21].map((count) => new Intl.PluralRules(tag).select(count));
    for (const [key, entry] of Object.entries(catalogue)) {
      if (typeof entry === 'string') continue;
      for (const category of categories) t.ok(category in entry, `${tag}: ${key} has the form "${category}"`);
    }
  }
});

t.test('templates name only texts that exist, and quote every attribute', async (t) => {
  for (const file of templateFiles(viewsDir)) {
    const source = readFileSync(join(viewsDir, file), 'utf8');
    for (const [, key] of source.matchAll(/(?:\bt|emphasise|lead=) ?'([^']+)'/g)) {
      t.ok(key !== undefined && key in english, `${file}: ${key}`);
    }
    t.notMatch(source, /\s[a-z-]+=\{\{/, `${file}: spaces are not escaped, so values need quotes`);
  }
});

t.test('texts avoid the words that people do not use', async (t) => {
  // “Authenticator app” is what phones and their shops call it.
  const jargon = /\bOTP\b|credential|\bMFA\b|authenticat(?!or app)|invalid|\b2FA\b|\btoken\b/i;
  for (const [key, entry] of Object.entries(english)) {
    for (const sentence of formsOf(entry)) t.notMatch(sentence, jargon, key);
  }
});

t.test('no line of a French page begins with a mark: the blank before it does not break', async (t) => {
  const french = locales.find(({ tag }) => tag === 'fr')?.catalogue ?? {};
  // An SMS has no such blank: it would cost twice as much.
  const messages = /sms\.message$|^sms-otp\.message$|^notices\./;
  for (const [key, entry] of Object.entries(french)) {
    if (messages.test(key)) continue;
    for (const sentence of formsOf(entry)) t.notMatch(sentence, / [:;?!»]/, key);
  }
});
