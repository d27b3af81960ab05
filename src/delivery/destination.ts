import type { Crypto } from '../crypto/types.ts';
import { keeping } from '../lib/memo.ts';
import { parsePhoneNumber } from '../lib/phone-numbers.ts';
import type { Destination } from './types.ts';

/** Digits without the country's code, and the ISO 3166 code of the country; null for what is no phone number. */
export const phoneParts = keeping(
  (to: string): Readonly<{ national: string; country: string | null }> | null => {
    const number = parsePhoneNumber(to);
    if (number === undefined) return null;
    // A number that nobody was given (a test's, a fictional one) still belongs to the code's main country.
    const country = number.country ?? number.getPossibleCountries()[0] ?? null;
    return { national: number.nationalNumber, country };
  },
);

/**
 * How a number or an address is kept outside `users`: sealed, as a keyed hash to count and compare by, and as much of
 * it in clear as a page may show. `context` binds the sealed value to its row.
 */
export function createDestination(crypto: Crypto, to: string, context: string): Destination {
  return {
    sealed: crypto.seal('message', to, context),
    hash: crypto.mac('message', to),
    last2: to.slice(-2),
    country: phoneParts(to)?.country ?? null,
  };
}
