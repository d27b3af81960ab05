import type { JWK } from 'jose';
import { json } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';

declare module '../storage/types.ts' {
  interface Database {
    signing_keys: SigningKeysTable;
  }
}

export const signingAlgorithms = ['ES256', 'RS256'] as const;

export type SigningAlgorithm = (typeof signingAlgorithms)[number];

interface SigningKeysTable {
  kid: string;
  alg: SigningAlgorithm;
  /** 1, 2, 3 … for each algorithm: two instances that make the same one collide, and the first stays. */
  generation: number;
  public_jwk: JWK;
  private_sealed: string;
  created_at: Date;
  /** Ahead of the present: published, and the successor of the one that signs. */
  signs_from: Date;
  /** Set when it is published no longer. */
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

/** Lets a successor sign earlier. False when it does so already, or somebody else was faster. */
export async function bringForward(tx: Tx, kid: string, signsFrom: Date): Promise<boolean> {
  const moved = await tx
    .updateTable('signing_keys')
    .set({ signs_from: signsFrom })
    .where('kid', '=', kid)
    .where('retired_at', 'is', null)
    .where('signs_from', '>', signsFrom)
    .returning('kid')
    .execute();
  return moved.length === 1;
}

/** Publishes these keys no longer. Answers how many were live until now. */
export async function retireKeys(tx: Tx, kids: string[], now: Date): Promise<number> {
  if (kids.length === 0) return 0;
  const retired = await tx
    .updateTable('signing_keys')
    .set({ retired_at: now })
    .where('kid', 'in', kids)
    .where('retired_at', 'is', null)
    .returning('kid')
    .execute();
  return retired.length;
}
