import { createHash } from 'node:crypto';
import { demoCredentials, hasReference, stored } from '../config/index.ts';
import { Problem } from '../lib/problem.ts';
import type { AppDocument } from './document.ts';

/** The form in which a client secret is kept and compared: SHA-256 in hex. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const demoHash = hashSecret(demoCredentials.appSecret);

/** Without the demo's secret where the demo does not run, whatever the database holds. */
export const liveHashes = (hashes: string[], demo: boolean): string[] =>
  demo ? hashes : hashes.filter((hash) => hash !== demoHash);

const members = ['secret', 'previousSecret'] as const;

/**
 * The hashes of a document's secrets. One that says `${stored}` keeps what the database has; throws Problem 400 when
 * that is nothing.
 */
export function hashesOf(document: AppDocument, present: string[]): string[] {
  return members.flatMap((member, index) => {
    const secret = document[member];
    if (secret === undefined) return [];
    if (secret !== stored) return [hashSecret(secret)];
    const kept = present[index];
    if (kept !== undefined) return [kept];
    throw new Problem({
      status: 400,
      code: 'invalid_app',
      message: 'The app cannot be saved like this.',
      errors: [{ path: member, message: 'is to be kept, but the database holds none: give it again' }],
    });
  });
}

/** The document as it may be kept and exported: references stay, a literal secret becomes `${stored}`. */
export function withoutSecrets(raw: Record<string, unknown>): Record<string, unknown> {
  const kept = { ...raw };
  for (const member of members) {
    const written = kept[member];
    if (written !== undefined && !(typeof written === 'string' && hasReference(written)))
      kept[member] = stored;
  }
  return kept;
}
