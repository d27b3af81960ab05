import type { RandomSource } from '../lib/ids.ts';
import type { OtpSettings } from './types.ts';

/**
 * Letters and digits that cannot be taken for one another on a phone's screen or over the telephone (no 0 O, 1 I L,
 * 2 is kept and Z not, 5 S, 8), and without vowels, so that no code is a word.
 */
const alphabets: Record<OtpSettings['alphabet'], string> = {
  numeric: '0123456789',
  alphanumeric: '234679BCDFGHJKMNPQRTVWXY',
};

/** A new code of `length` characters, each equally likely. */
export function makeCode(settings: Pick<OtpSettings, 'length' | 'alphabet'>, random: RandomSource): string {
  const alphabet = alphabets[settings.alphabet];
  // A byte above the last whole multiple would favour the first characters: it is thrown away.
  const fair = 256 - (256 % alphabet.length);
  let code = '';
  while (code.length < settings.length) {
    for (const byte of random(2 * settings.length)) {
      if (byte < fair && code.length < settings.length) code += alphabet[byte % alphabet.length];
    }
  }
  return code;
}

/** No keyboard makes a code of ten characters longer than this, however it is spaced. */
const longest = 100;

/**
 * The form in which codes are compared: what people and keyboards add or change is taken away (spaces, hyphens, small
 * letters, full-width and Arabic digits).
 */
export function normaliseCode(typed: string): string {
  return typed
    .slice(0, longest)
    .normalize('NFKC')
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 15))
    .replace(/[\s\p{Pd}\p{Cf}]/gu, '')
    .toUpperCase();
}
