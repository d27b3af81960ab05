import { sha256 } from '../crypto/index.ts';
import { after } from '../lib/clock.ts';
import { newSecret, type RandomSource } from '../lib/ids.ts';
import type { Tx } from '../storage/types.ts';
import { replaceLink } from './store.ts';

/** An administrator hands it over by hand, which may take until tomorrow. */
const lifeMs = 24 * 60 * 60_000;

export interface Link {
  url: string;
  expiresAt: Date;
}

/** Gives out a link that chooses a new password, once. What was given out before is void. */
export async function giveLink(
  { issuer, random }: { issuer: URL; random: RandomSource },
  tx: Tx,
  { by, userId }: { userId: string; by: string },
  now: Date,
): Promise<Link> {
  const token = newSecret(random);
  const expiresAt = after(now, lifeMs);
  await replaceLink(
    tx,
    { token_hash: sha256(token), user_id: userId, created_by: by, expires_at: expiresAt },
    now,
  );
  return { url: new URL(linkPath(token), issuer).href, expiresAt };
}

export const linkPath = (token: string): string => `/reset/${token}`;
