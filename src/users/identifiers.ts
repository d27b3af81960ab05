import type { CountryCode } from 'libphonenumber-js/max';
import { parsePhoneNumber } from '../lib/phone-numbers.ts';

const phoneLike = /^(?:\+[\d\s()./-]*|[\d\s()./-]{7,})$/u;
const separators = /[\s()./-]/gu;

/** The form under which names and addresses are compared: compatibility characters folded, lower case. */
export const fold = (value: string): string => value.trim().normalize('NFKC').toLowerCase();

/** True for what a reader would take for an e-mail address. */
export const looksLikeEmail = (value: string): boolean => value.includes('@');

/** True for what a reader would take for a phone number: a leading plus, or at least seven digits and nothing else. */
export const looksLikePhone = (value: string): boolean =>
  phoneLike.test(value.trim()) && value.replace(/\D/gu, '').length > 0;

/**
 * The number in E.164, or null when no number of any country can look like this. Ranges too new for the metadata
 * and numbers set aside for fiction are let through: only the length is judged.
 * @param country ISO 3166 code to read a national number by; without it the number must start with + or 00.
 */
export function normalisePhone(value: string, country?: string): string | null {
  const international = value.normalize('NFKC').trim().replace(/^00/u, '+');
  const parsed = parsePhoneNumber(international, country as CountryCode | undefined);
  return parsed?.isPossible() ? parsed.number : null;
}

/** What somebody typed to say who they are, by the kind that it can only be: the three never overlap. */
export type Identifier =
  | { kind: 'username'; key: string }
  | { kind: 'email'; key: string }
  | { kind: 'phone'; key: string };

export function readIdentifier(typed: string): Identifier {
  if (looksLikeEmail(typed)) return { kind: 'email', key: fold(typed) };
  const folded = fold(typed);
  if (looksLikePhone(folded)) {
    return { kind: 'phone', key: normalisePhone(folded) ?? folded.replace(separators, '') };
  }
  return { kind: 'username', key: folded };
}
