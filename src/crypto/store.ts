import type { JWK } from 'jose';
import { json } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';

declare module '../storage/types.ts' {
  interface Database {
    signing_keys: SigningKeysTable;
  }
}

interface SigningKeysTable {
  kid: string;
  alg: 'ES256' | 'RS256';
  /** 1, 2, 3 … for each algorithm: two instances that make the same one collide, and the first stays. */
  generation: number;
  public_jwk: JWK;
  private_sealed: string;
  created_at: Date;
  signs_from: Date;
  retired_at: Date | null;
}

export type SigningKeyRow = SigningKeysTable;

/** Those not retired, the newest of each algorithm first. */
export function findLiveKeys(db: Db): Promise<SigningKeyRow[]> {
  return db
    .selectFrom('signing_keys')
    .selectAll()
    .where('retired_at', 'is', null)
    .orderBy('alg')
    .orderBy('generation', 'desc')
    .execute();
}

/** Adds a key unless there already is one of that algorithm and generation. */
export async function insertKey(db: Db, row: SigningKeyRow): Promise<void> {
  await db
    .insertInto('signing_keys')
    .values({ ...row, public_jwk: json(row.public_jwk) })
    .onConflict((conflict) => conflict.columns(['alg', 'generation']).doNothing())
    .execute();
}
