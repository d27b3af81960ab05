import { randomBytes } from 'node:crypto';

/** Returns `size` random bytes from a cryptographic source. Handed out by the composition root. */
export type RandomSource = (size: number) => Buffer;

export const systemRandom: RandomSource = randomBytes;

/** A new identifier: the prefix names the kind of row, the rest is 128 random bits in base64url (22 characters). */
export function newId(prefix: string, random: RandomSource = systemRandom): string {
  return `${prefix}_${random(16).toString('base64url')}`;
}

/** A new secret for a cookie or a link: 256 random bits in base64url (43 characters). */
export function newSecret(random: RandomSource = systemRandom): string {
  return random(32).toString('base64url');
}
