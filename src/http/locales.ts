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
  return {
    tags,
    negotiate: (preferred, acceptLanguage) =>
      firstSpoken((preferred ?? '').slice(0, MAX_PREFERENCE_LENGTH).split(' '), tags) ??
      firstSpoken(byQuality((acceptLanguage ?? '').slice(0, MAX_PREFERENCE_LENGTH)), tags) ??
      'en',
    translate(locale, text) {
      const translated = catalogues.get(locale)?.[text.key];
      const entry = translated ?? english[text.key];
      if (entry === undefined) return text.key;
      return fill(entry, text.values ?? {}, translated === undefined ? 'en' : locale);
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

function fill(entry: Catalogue[string], values: Record<string, string | number>, locale: string): string {
  return pluralForm(entry, values.count, locale).replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined) return placeholder;
    return typeof value === 'number' ? numbersOf(locale).format(value) : value;
  });
}

function pluralForm(entry: Catalogue[string], count: unknown, locale: string): string {
  if (typeof entry === 'string') return entry;
  const category = typeof count === 'number' ? pluralsOf(locale).select(count) : 'other';
  return (category in entry ? entry[category as keyof typeof entry] : undefined) ?? entry.other;
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

const numbersOf = once((locale) => new Intl.NumberFormat(locale));
const pluralsOf = once((locale) => new Intl.PluralRules(locale));
