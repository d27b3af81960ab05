import { isDeepStrictEqual } from 'node:util';
import { stored } from '../config/index.ts';
import type { Fault } from '../lib/problem.ts';
import type { Preset, ProviderDocument } from './preset.ts';

type Members = Record<string, unknown>;

/** Holds a reference: it may be shown, for it names a secret and is none. */
const isReference = (value: unknown): boolean => typeof value === 'string' && /\$\{(?:env|file):/.test(value);

/** A secret as it may be shown. */
export const hidden = (value: unknown): unknown => (isReference(value) ? value : stored);

/** The document as it may be shown: literal secrets are replaced by `${stored}`. */
export function hideSecrets(document: ProviderDocument, preset: Preset): ProviderDocument {
  const { secrets, tls } = document;
  const options = document[preset.id] as Members | undefined;
  return {
    ...document,
    ...(secrets && { secrets: mapValues(secrets, hidden) }),
    ...(tls?.key === undefined ? {} : { tls: { ...tls, key: hidden(tls.key) as string } }),
    ...(options && preset.hide && { [preset.id]: preset.hide(options) }),
  };
}

const mapValues = <T>(object: Record<string, T>, map: (value: T) => unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value) as string]));

/**
 * Puts back what `${stored}` stands for. A member that still says exactly what it was shown as keeps what is there;
 * one that says `${stored}` and something else is a fault, because nobody can tell which part is meant.
 */
export function restoreSecrets(
  given: ProviderDocument,
  present: ProviderDocument | undefined,
  preset: Preset,
): { document: ProviderDocument; kept: string[]; faults: Fault[] } {
  const kept: string[] = [];
  const faults: Fault[] = [];
  const restore = (value: unknown, shown: unknown, real: unknown, path: string): unknown => {
    if (typeof value === 'string') {
      if (!value.includes(stored)) return value;
      if (value === shown && typeof real === 'string') {
        kept.push(path);
        return real;
      }
      const message =
        present === undefined
          ? `nothing is stored that ${stored} could mean`
          : `${stored} only stands where it was given out: write the secret again`;
      faults.push({ path, message });
      return value;
    }
    // Headers that were given as one string are shown as a map.
    if (typeof real === 'string' && isDeepStrictEqual(value, shown)) {
      kept.push(path);
      return real;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        restore(member, memberOf(shown, name), memberOf(real, name), path === '' ? name : `${path}.${name}`),
      ]),
    );
  };
  const shown = present && hideSecrets(present, preset);
  const document = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      restore(value, memberOf(shown, name), memberOf(present, name), name),
    ]),
  ) as ProviderDocument;
  return { document, kept, faults };
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Members)[name]
    : undefined;
