import type Provider from 'oidc-provider';
import { sha256 } from '../../crypto/index.ts';
import { after, type Clock } from '../../lib/clock.ts';
import type { Db } from '../../storage/types.ts';
import { insertOnce } from '../store.ts';

/**
 * Client assertions and DPoP proofs count once. The library looks first and writes then, which lets two of the same
 * moment pass; one insert that finds its row taken does not.
 */
export function rememberProofs(provider: Provider, { db, clock }: { db: Db; clock: Clock }): void {
  provider.ReplayDetection.unique = async (issuer, id, expiresAt) => {
    const now = clock.now();
    return insertOnce(db, {
      id_hash: sha256(JSON.stringify(['proof', issuer, id])),
      model: 'ReplayDetection',
      grant_id: null,
      session_id: null,
      user_id: null,
      app_id: null,
      payload: {},
      consumed_at: null,
      created_at: now,
      expires_at: after(now, Math.max(1, expiresAt * 1000 - now.getTime())),
    });
  };
}
