import { createHash, timingSafeEqual } from 'node:crypto';

/** One key of `SECRET_KEY`: 32 bytes, and the id that sealed values and keyed hashes carry. */
export interface SecretKey {
  id: string;
  bytes: Buffer;
}

/** Takes the same time wherever the two begin to differ, and however long they are. */
export function secretsMatch(expected: string, given: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(expected), digest(given));
}
