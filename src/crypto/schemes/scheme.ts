import { timingSafeEqual } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A stored password that can be compared with. */
export interface Verifier {
  verify(password: string): Promise<boolean>;
  /** True when no better form of the password is known than this one. */
  current?: boolean;
  /** Only so many bytes of a password count: a longer one that passes need not be the right one. */
  significantBytes?: number;
}

/**
 * One family of stored forms: answers undefined for a string of another family, a sentence when the string is of this
 * one but broken or asks for more work than {@link Verifier.verify} is willing to do, else the verifier.
 */
export type Scheme = (stored: string) => Verifier | string | undefined;

export const tooMuchWork = (what: string, most: string): string =>
  `asks for too much work (${what}; at most ${most})`;

/** Constant-time comparison. Lengths are no secret. */
export function same(actual: Buffer | string, expected: Buffer | string): boolean {
  const [a, b] = [Buffer.from(actual as string), Buffer.from(expected as string)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Repeats `step` for `rounds` rounds and lets others run in between: hashing in JavaScript holds the event loop. */
export async function repeat(rounds: number, step: (round: number) => void): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    step(round);
    if (round % 2_000 === 1_999) await nextTurn();
  }
}

const CRYPT_ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The value of a character in crypt(3)'s alphabet, or -1. */
export const cryptValue = (character: string): number => CRYPT_ALPHABET.indexOf(character);

/** crypt(3)'s base64: bytes are taken in threes by their positions, lowest six bits first. Missing ones count as zero. */
export function cryptBase64(bytes: Buffer, groups: number[][]): string {
  return groups
    .map((group) => {
      let value = group.reduce((sum, index) => (sum << 8) | (bytes[index] ?? 0), 0);
      let text = '';
      for (let left = Math.ceil((group.length * 8) / 6); left > 0; left--, value >>>= 6) {
        text += CRYPT_ALPHABET[value & 63];
      }
      return text;
    })
    .join('');
}
