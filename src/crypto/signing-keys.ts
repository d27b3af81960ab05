import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Clock } from '../lib/clock.ts';
import type { Planned } from './rotation-plan.ts';
import {
  findLiveKeys,
  insertKey,
  type SigningAlgorithm,
  type SigningKeyRow,
  signingAlgorithms,
} from './store.ts';
import type { Crypto, SigningKey, SigningKeys } from './types.ts';

const generate = promisify(generateKeyPair);

export type MakePair = () => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>;

/** How to make a pair of each algorithm; ES256 signs unless an application asks for the other (RFC 7518, 3.3 and 3.4). */
const pairs: Record<SigningAlgorithm, MakePair> = {
  ES256: () => generate('ec', { namedCurve: 'P-256' }),
  RS256: () => generate('rsa', { modulusLength: 2048 }),
};

/** Makes a key, sealed and ready to be stored. An RSA key takes some 100 ms of a thread, so never in a transaction. */
export async function makeKey(
  crypto: Crypto,
  { alg, generation, signsFrom }: Planned,
  now: Date,
  ways = pairs,
): Promise<SigningKeyRow> {
  const { privateKey, publicKey } = await ways[alg]();
  const publicJwk = publicKey.export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    kid,
    alg,
    generation,
    public_jwk: publicJwk,
    private_sealed: crypto.seal('signing-key', JSON.stringify(privateKey.export({ format: 'jwk' })), kid),
    created_at: now,
    signs_from: signsFrom,
    retired_at: null,
  };
}

/** Keys that sign tokens, in the database and sealed, so that every instance signs and publishes the same ones. */
export function createSigningKeys({ crypto, clock }: { crypto: Crypto; clock: Clock }): SigningKeys {
  const unseal = ({ kid, alg, public_jwk, private_sealed, signs_from }: SigningKeyRow): SigningKey => {
    const named = { kid, alg, use: 'sig' };
    const privateJwk = JSON.parse(crypto.open('signing-key', private_sealed, kid)) as JWK;
    return {
      kid,
      alg,
      publicJwk: { ...public_jwk, ...named },
      privateJwk: { ...privateJwk, ...named },
      signsFrom: signs_from,
    };
  };

  return {
    async load(db) {
      let rows = await findLiveKeys(db);
      const now = clock.now();
      const missing = signingAlgorithms.filter((alg) => !rows.some((row) => row.alg === alg));
      if (missing.length > 0) {
        // Instances that start together each make a pair; the database keeps one, and all read that one back.
        const made = missing.map((alg) => makeKey(crypto, { alg, generation: 1, signsFrom: now }, now));
        for (const row of await Promise.all(made)) await insertKey(db, row);
        rows = await findLiveKeys(db);
      }
      const signing = (row: SigningKeyRow) => Number(row.signs_from <= now);
      return rows.toSorted((a, b) => a.alg.localeCompare(b.alg) || signing(b) - signing(a)).map(unseal);
    },
  };
}
