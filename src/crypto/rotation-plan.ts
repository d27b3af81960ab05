import { after } from '../lib/clock.ts';
import { type SigningAlgorithm, type SigningKeyRow, signingAlgorithms } from './store.ts';

export interface KeyPolicy {
  /** How long a key signs. */
  rotateEveryMs: number;
  /** How long a key is published before it signs, at the least. */
  publishAheadMs: number;
  /** How long a key stays published after its successor began to sign. */
  keepMs: number;
}

/** A key that is to be made. */
export interface Planned {
  alg: SigningAlgorithm;
  generation: number;
  signsFrom: Date;
}

/** The keys of one algorithm: the one that signs, its successor, and those from before. */
export interface Line {
  signing: SigningKeyRow | undefined;
  next: SigningKeyRow | undefined;
  /** Superseded ones, the newest first. */
  old: SigningKeyRow[];
  /** The highest generation there is; 0 without a key. */
  newest: number;
}

export function lineOf(rows: SigningKeyRow[], alg: SigningAlgorithm, now: Date): Line {
  const own = rows.filter((row) => row.alg === alg).toSorted((a, b) => b.generation - a.generation);
  const at = own.findIndex((row) => row.signs_from <= now);
  const signing = own[at];
  return {
    signing,
    next: at === -1 ? own.at(-1) : own[at - 1],
    old: at === -1 ? [] : own.slice(at + 1),
    newest: own[0]?.generation ?? 0,
  };
}

/** What is to be done now so that each algorithm has a key that signs, a successor, and nothing kept for too long. */
export function upkeep(rows: SigningKeyRow[], now: Date, policy: KeyPolicy) {
  const create: Planned[] = [];
  const bringForward: { kid: string; signsFrom: Date }[] = [];
  const retire: string[] = [];
  for (const alg of signingAlgorithms) {
    const { signing, next, old, newest } = lineOf(rows, alg, now);
    const began = signing?.signs_from ?? now;
    const due = after(began, policy.rotateEveryMs);
    if (!signing && !next) create.push({ alg, generation: 1, signsFrom: now });
    if (!next) {
      const generation = Math.max(newest, 1) + 1;
      create.push({ alg, generation, signsFrom: latest(due, after(now, policy.publishAheadMs)) });
    } else {
      const wanted = latest(due, now, after(next.created_at, policy.publishAheadMs));
      if (wanted < next.signs_from) bringForward.push({ kid: next.kid, signsFrom: wanted });
    }
    let successor = signing;
    for (const row of old) {
      if (successor && after(successor.signs_from, policy.keepMs) <= now) retire.push(row.kid);
      successor = row;
    }
  }
  return { create, bringForward, retire };
}

/** Long enough for every instance to have taken up, and so to publish, a key that was just made. */
const takeUpMs = 5_000;
/** The first two keys are made within a minute: nobody has ever been given the one without the other. */
const togetherMs = 60_000;

/**
 * From when the successor may sign when a rotation is asked for. `hurry`: without waiting for those who keep the
 * published keys for a while.
 */
export function promotionOf({ signing, next }: Line, now: Date, policy: KeyPolicy, hurry: boolean): Date {
  if (!next) return now;
  const together = signing?.generation === 1 && next.created_at <= after(signing.created_at, togetherMs);
  if (together) return now;
  return latest(now, after(next.created_at, hurry ? takeUpMs : policy.publishAheadMs));
}

const latest = (...moments: Date[]): Date => new Date(Math.max(...moments.map((moment) => moment.getTime())));
