import type { Clock } from '../lib/clock.ts';
import type { Revisions, Storage, Tx } from '../storage/types.ts';
import { type KeyPolicy, lineOf, type Planned, promotionOf, upkeep } from './rotation-plan.ts';
import { type MakePair, makeKey } from './signing-keys.ts';
import {
  bringForward,
  findLiveKeys,
  insertKey,
  retireKeys,
  type SigningAlgorithm,
  type SigningKeyRow,
  signingAlgorithms,
} from './store.ts';
import type { Crypto, KeyRotation, KeyState, RotateHow } from './types.ts';

/** The topic that tells every instance to read the keys anew. */
export const signingKeysTopic = 'signing-keys';

const upkeepQueue = 'signing-keys';
const hourly = '23 * * * *';

export interface KeyRotationDeps {
  crypto: Crypto;
  clock: Clock;
  storage: Pick<Storage, 'db' | 'transaction' | 'jobs'> & { revisions: Pick<Revisions, 'bump' | 'refresh'> };
  /** What holds now; asked each time. */
  policy(): KeyPolicy;
  /** How a pair is made. Tests make smaller ones, for an RSA key of the usual size takes a while. */
  pairs?: Record<SigningAlgorithm, MakePair>;
  /** Puts a rotation that somebody asked for on record, in its transaction. */
  onRotated(tx: Tx, how: RotateHow, now: Date): Promise<void>;
}

/**
 * When the signing keys give way to others. Each algorithm always has a successor that is published and does not sign
 * yet: to rotate is to let it sign, so nobody ever meets a token whose key is news. Safe on many instances at once.
 */
export function createKeyRotation(deps: KeyRotationDeps): KeyRotation {
  return {
    list: () => list(deps),
    maintain: () => maintain(deps),
    rotate: (how) => rotate(deps, how),
    async keepUp() {
      await maintain(deps);
      deps.storage.jobs.define(upkeepQueue, () => maintain(deps));
      deps.storage.jobs.schedule(upkeepQueue, hourly);
    },
  };
}

async function list({ clock, storage }: KeyRotationDeps): Promise<KeyState[]> {
  const now = clock.now();
  const rows = await findLiveKeys(storage.db);
  return signingAlgorithms.flatMap((alg) => {
    const { signing, next, old } = lineOf(rows, alg, now);
    return [
      ...(next ? [stateOf(next, 'next')] : []),
      ...(signing ? [stateOf(signing, 'signing')] : []),
      ...old.map((row) => stateOf(row, 'old')),
    ];
  });
}

async function maintain(deps: KeyRotationDeps): Promise<void> {
  const { crypto, clock, storage, policy } = deps;
  const now = clock.now();
  const due = upkeep(await findLiveKeys(storage.db), now, policy());
  if (due.create.length + due.bringForward.length + due.retire.length === 0) return;
  const made = await Promise.all(due.create.map((planned) => makeKey(crypto, planned, now, deps.pairs)));
  await storage.transaction(async (tx) => {
    for (const row of made) await insertKey(tx, row);
    for (const { kid, signsFrom } of due.bringForward) await bringForward(tx, kid, signsFrom);
    await retireKeys(tx, due.retire, now);
    await storage.revisions.bump(tx, signingKeysTopic);
  });
}

async function rotate(deps: KeyRotationDeps, how: RotateHow): Promise<KeyState[]> {
  const { crypto, clock, storage } = deps;
  await maintain(deps);
  const now = clock.now();
  const rows = await findLiveKeys(storage.db);
  const steps = signingAlgorithms.map((alg) => stepOf(rows, alg, now, deps.policy(), how));
  // Made before the transaction, in which nothing slow may happen.
  const made = await Promise.all(
    steps.map(({ create }) =>
      Promise.all(create.map((planned) => makeKey(crypto, planned, now, deps.pairs))),
    ),
  );
  await storage.transaction(async (tx) => {
    let moved = 0;
    for (const [index, { promote, withdraw }] of steps.entries()) {
      const first = promote
        ? await bringForward(tx, promote.kid, promote.signsFrom)
        : (await retireKeys(tx, withdraw, now)) > 0;
      // Somebody else rotates at this moment: once is enough.
      if (!first) continue;
      moved += 1;
      for (const row of made[index] ?? []) await insertKey(tx, row);
    }
    if (moved === 0) return;
    await deps.onRotated(tx, how, now);
    await storage.revisions.bump(tx, signingKeysTopic);
  });
  await storage.revisions.refresh();
  return list(deps);
}

interface Step {
  /** The successor that is to sign. */
  promote: { kid: string; signsFrom: Date } | null;
  /** Keys that are to be trusted no longer. */
  withdraw: string[];
  create: Planned[];
}

function stepOf(
  rows: SigningKeyRow[],
  alg: Planned['alg'],
  now: Date,
  policy: KeyPolicy,
  how: RotateHow,
): Step {
  const line = lineOf(rows, alg, now);
  const due = new Date(now.getTime() + policy.rotateEveryMs);
  const successor = (generation: number): Planned => ({ alg, generation, signsFrom: due });
  if (how === 'leaked') {
    // Whoever has read the one that signs has read its successor too.
    return {
      promote: null,
      withdraw: rows.filter((row) => row.alg === alg).map((row) => row.kid),
      create: [{ alg, generation: line.newest + 1, signsFrom: now }, successor(line.newest + 2)],
    };
  }
  // Somebody else has just let it sign.
  if (!line.next) return { promote: null, withdraw: [], create: [] };
  const signsFrom = promotionOf(line, now, policy, how === 'now');
  return {
    promote: { kid: line.next.kid, signsFrom },
    withdraw: [],
    // One that does not sign yet is still the successor; upkeep makes the one after it.
    create: signsFrom <= now ? [successor(line.newest + 1)] : [],
  };
}

const stateOf = (row: SigningKeyRow, state: KeyState['state']): KeyState => ({
  kid: row.kid,
  alg: row.alg,
  state,
  createdAt: row.created_at.toISOString(),
  signsFrom: row.signs_from.toISOString(),
});

const ways: ReadonlySet<unknown> = new Set<RotateHow>(['planned', 'now', 'leaked']);

/** What the command line may ask of a running server. */
export const keyCommands = (keys: KeyRotation): Record<string, (input: unknown) => Promise<unknown>> => ({
  'keys/list': () => keys.list(),
  async 'keys/rotate'(input) {
    const { how } = input as { how: RotateHow };
    if (!ways.has(how)) throw new TypeError('how to rotate is not said');
    return keys.rotate(how);
  },
});
