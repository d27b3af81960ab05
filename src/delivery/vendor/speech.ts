import type { OutgoingMessage } from '../types.ts';

/** The code as it is to be said: one character after the other, with a pause behind each. */
const spelt = (code: string): string => [...code].join(', ');

/** A message's text for a voice to read: the code in it character by character, for nobody can note down a million. */
export const spoken = ({ text, code }: Pick<OutgoingMessage, 'text' | 'code'>): string =>
  code === null || code === '' ? text : text.replaceAll(code, () => spelt(code));

/** Vendors' voices are chosen by language and region; this is the region when only a language is known. */
const regions: Record<string, string> = { de: 'de-DE', en: 'en-US', es: 'es-ES', fr: 'fr-FR' };

export const voiceLanguage = (locale: string): string =>
  locale.includes('-') ? locale : (regions[locale] ?? 'en-US');
