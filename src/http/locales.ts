import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue, Text } from '../lib/texts.ts';

/** Longest header or parameter that is looked at; browsers send far less. */
const MAX_PREFERENCE_LENGTH = 300;

export interface Locales {
  /** The tags that people may read in, English first. */
  tags: string[];
  /** The first of the wishes that we speak: a space-separated list (OpenID `ui_locales`), then Accept-Language. */
  negotiate(preferred: string | null | undefined, acceptLanguage: string | undefined): string;
  /** The finished sentence. Falls back to English, and shows the key of a text that nobody has written. */
  translate(locale: string, text: Text): string;
}

/** English from beside the code, everything else from `<folder>/<tag>.json`. */
export function createLocales(english: Catalogue, folder: string): Locales {
  const catalogues = new Map<string, Catalogue>([['en', english]]);
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.json')) continue;
    catalogues.set(file.slice(0, -'.json'.length), JSON.parse(readFileSync(join(folder, file), 'utf8')));
  }
  const tags = [...catalogues.keys()];
  const spoken = new Map([...catalogues].map(([tag, catalogue]) => [tag, sentencesOf(catalogue, tag)]));
  const inEnglish = sentencesOf(english, 'en');
  return {
    tags,
    negotiate: (preferred, acceptLanguage) =>
      firstSpoken((preferred ?? '').slice(0, MAX_PREFERENCE_LENGTH).split(' '), tags) ??
      firstSpoken(byQuality((acceptLanguage ?? '').slice(0, MAX_PREFERENCE_LENGTH)), tags) ??
      'en',
    translate(locale, { key, values = {} }) {
      const sentence = spoken.get(locale)?.(key) ?? inEnglish(key);
      return sentence === undefined ? key : sentence(values);
    },
  };
}

/** `de-AT` is served by `de`: regional forms are not told apart. */
function firstSpoken(wishes: string[], tags: string[]): string | undefined {
  for (const wish of wishes) {
    const language = wish.toLowerCase().split('-')[0];
    const tag = tags.find((known) => known === language);
    if (tag !== undefined) return tag;
  }
  return undefined;
}

/** RFC 9110, section 12.5.4: highest weight first, in the order written among equals; `q=0` means never. */
function byQuality(header: string): string[] {
  return header
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { tag, quality: weight === undefined ? 1 : Number.parseFloat(weight) };
    })
    .filter(({ tag, quality }) => tag !== '' && quality > 0)
    .sort((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag);
}

type Values = NonNullable<Text['values']>;
/** A text with its placeholders filled in. */
type Sentence = (values: Values) => string;

/** The texts of a catalogue, each read when it is first asked for. Undefined: there is none of that key. */
function sentencesOf(catalogue: Catalogue, locale: string): (key: string) => Sentence | undefined {
  const read = new Map<string, Sentence>();
  return (key) => {
    const known = read.get(key);
    const entry = known ? undefined : catalogue[key];
    if (entry === undefined) return known;
    const sentence = sentenceOf(entry, locale);
    read.set(key, sentence);
    return sentence;
  };
}

function sentenceOf(entry: Catalogue[string], locale: string): Sentence {
  if (typeof entry === 'string') return filling(entry, locale);
  const forms = new Map(
    Object.entries(entry).map(([category, form]) => [category, filling(form, locale)] as const),
  );
  const other = filling(entry.other, locale);
  return (values) => {
    const { count } = values;
    const category = typeof count === 'number' ? pluralsOf(locale).select(count) : 'other';
    return (forms.get(category) ?? other)(values);
  };
}

function filling(written: string, locale: string): Sentence {
  // What the pattern catches stands between: texts and names take turns.
  const [start = '', ...rest] = written.split(/\{(\w+)\}/);
  if (rest.length === 0) return () => start;
  return (values) => {
    let filled = start;
    for (let at = 0; at < rest.length; at += 2) {
      const name = rest[at] ?? '';
      const value = values[name];
      const said =
        value === undefined ? `{${name}}` : typeof value === 'number' ? numbersOf(locale)(value) : value;
      filled += `${said}${rest[at + 1]}`;
    }
    return filled;
  };
}

/** Making one costs as much as writing a hundred numbers with it. */
const once = <T>(make: (locale: string) => T): ((locale: string) => T) => {
  const made = new Map<string, T>();
  return (locale) => {
    const known = made.get(locale) ?? make(locale);
    made.set(locale, known);
    return known;
  };
};

const numbersOf = once((locale) => new Intl.NumberFormat(locale).format);
const pluralsOf = once((locale) => new Intl.PluralRules(locale));
