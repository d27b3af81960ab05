import { randomBytes } from 'node:crypto';

/** Returns `size` random bytes from a cryptographic source. Handed out by the composition root. */
export type RandomSource = (size: number) => Buffer;

/** One call of the system's source costs as much for many ids as for one. */
const poolSize = 4096;
let pool = Buffer.alloc(0);
let taken = 0;

/** Cryptographic, fetched ahead. What has been handed out is wiped here. */
export const systemRandom: RandomSource = (size) => {
  if (size > poolSize / 16) return randomBytes(size);
  if (taken + size > pool.length) {
    pool = randomBytes(poolSize);
    taken = 0;
  }
  const bytes = Buffer.from(pool.subarray(taken, taken + size));
  pool.fill(0, taken, taken + size);
  taken += size;
  return bytes;
};

/** A new identifier: the prefix names the kind of row, the rest is 128 random bits in base64url (22 characters). */
export function newId(prefix: string, random: RandomSource = systemRandom): string {
  return `${prefix}_${random(16).toString('base64url')}`;
}

/** A new secret for a cookie or a link: 256 random bits in base64url (43 characters). */
export function newSecret(random: RandomSource = systemRandom): string {
  return random(32).toString('base64url');
}
