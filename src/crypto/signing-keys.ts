import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Clock } from '../lib/clock.ts';
import type { Db } from '../storage/types.ts';
import { findLiveKeys, insertKey, type SigningKeyRow } from './store.ts';
import type { Crypto, SigningKey, SigningKeys } from './types.ts';

const generate = promisify(generateKeyPair);

/** How to make a pair of each algorithm; ES256 signs unless an application asks for the other (RFC 7518, 3.3 and 3.4). */
const ALGORITHMS: Record<SigningKey['alg'], () => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>> =
  {
    ES256: () => generate('ec', { namedCurve: 'P-256' }),
    RS256: () => generate('rsa', { modulusLength: 2048 }),
  };

/** Keys that sign tokens, in the database and sealed, so that every instance signs and publishes the same ones. */
export function createSigningKeys({ crypto, clock }: { crypto: Crypto; clock: Clock }): SigningKeys {
  async function create(db: Db, alg: SigningKey['alg']): Promise<void> {
    const { privateKey, publicKey } = await ALGORITHMS[alg]();
    const publicJwk = publicKey.export({ format: 'jwk' }) as JWK;
    const kid = await calculateJwkThumbprint(publicJwk);
    const now = clock.now();
    await insertKey(db, {
      kid,
      alg,
      generation: 1,
      public_jwk: publicJwk,
      private_sealed: crypto.seal('signing-key', JSON.stringify(privateKey.export({ format: 'jwk' })), kid),
      created_at: now,
      signs_from: now,
      retired_at: null,
    });
  }

  const unseal = ({ kid, alg, public_jwk, private_sealed }: SigningKeyRow): SigningKey => {
    const named = { kid, alg, use: 'sig' };
    const privateJwk = JSON.parse(crypto.open('signing-key', private_sealed, kid)) as JWK;
    return { kid, alg, publicJwk: { ...public_jwk, ...named }, privateJwk: { ...privateJwk, ...named } };
  };

  return {
    async load(db) {
      let rows = await findLiveKeys(db);
      const missing = (['ES256', 'RS256'] as const).filter((alg) => !rows.some((row) => row.alg === alg));
      if (missing.length > 0) {
        // Instances that start together each make a pair; the database keeps one, and all read that one back.
        await Promise.all(missing.map((alg) => create(db, alg)));
        rows = await findLiveKeys(db);
      }
      const now = clock.now();
      const signing = (row: SigningKeyRow) => Number(row.signs_from <= now);
      return rows.toSorted((a, b) => a.alg.localeCompare(b.alg) || signing(b) - signing(a)).map(unseal);
    },
  };
}
