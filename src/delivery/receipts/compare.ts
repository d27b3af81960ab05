import { createHash, timingSafeEqual } from 'node:crypto';

/** Takes the same time wherever the two begin to differ, and however long they are. */
export function secretsMatch(expected: string, given: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(expected), digest(given));
}
