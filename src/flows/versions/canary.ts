import { createHash } from 'node:crypto';
import type { Browser } from '../types.ts';

/** A whole, in hundredths of a percent. */
export const everybody = 10_000;

/**
 * Whether this browser is among those that get the version: always the same answer for the same version and browser,
 * and a yes stays one when the share is raised. `share` in hundredths of a percent. What a browser says of itself is
 * taken as it comes: who lies gets another version of the flow, and either is one that the operator has published.
 */
export function isChosen(versionId: string, share: number, browser: Browser): boolean {
  const hash = createHash('sha256')
    .update(`${versionId} ${keyOf(browser)}`)
    .digest();
  return (hash.readUInt32BE(0) / 2 ** 32) * everybody < share;
}

/** Behind the id in the cookie stands who has signed in with the browser, which changes. */
function keyOf({ deviceCookie, ip, userAgent }: Browser): string {
  const [id] = deviceCookie?.split('~') ?? [];
  return id || `${ip} ${userAgent ?? ''}`;
}
