import { availableParallelism } from 'node:os';
import { Problem } from '../lib/problem.ts';
import { hashToday, verifierOf } from './schemes/index.ts';
import type { Passwords } from './types.ts';

export interface PasswordOptions {
  /** Computations at once; default the number of cores. */
  concurrency?: number;
  /** How many may wait for their turn; default 32 for each that may run, about a third of a second. */
  queue?: number;
}

/** 256 characters, the longest password that can be chosen, in UTF-8. Longer ones are wrong without being looked at. */
const MOST_BYTES = 1_024;

/** How busy the hashing is, for who watches the process. */
export interface HashLoad {
  /** Computations under way. */
  running: number;
  /** Computations that wait for their turn. */
  waiting: number;
}

export function createPasswords(options: PasswordOptions = {}): Passwords & { load(): HashLoad } {
  const concurrency = options.concurrency ?? availableParallelism();
  const { inTurn, load } = createTurns(concurrency, options.queue ?? concurrency * 32);

  return {
    load,
    hash: (password) => inTurn(() => hashToday(password.normalize('NFC'))),

    async verify(stored, typed) {
      const password = typed.normalize('NFC');
      const bytes = Buffer.byteLength(password);
      const verifier = stored && bytes <= MOST_BYTES ? verifierOf(stored) : undefined;
      if (!verifier || typeof verifier === 'string') {
        // Who has no password that could be compared takes as long as who has: no one learns which user exists.
        await inTurn(() => hashToday(password.slice(0, MOST_BYTES)));
        return { ok: false, rehash: false };
      }
      const ok = await inTurn(() => verifier.verify(password));
      // What passed may be right in its first bytes only. Hashed anew it would lock out whoever knows the right one.
      const certain = verifier.significantBytes === undefined || bytes <= verifier.significantBytes;
      return { ok, rehash: ok && certain && !verifier.current };
    },

    faultOf(stored) {
      const verifier = verifierOf(stored);
      return typeof verifier === 'string' ? verifier : null;
    },
  };
}

/**
 * Lets `concurrency` computations run and `queue` wait; refuses more at once. Without a bound a rush of logins would
 * all be served too late, in the order in which their senders gave up.
 */
function createTurns(concurrency: number, queue: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= concurrency) {
      if (waiting.length >= queue) {
        throw new Problem({
          status: 503,
          code: 'busy',
          message: 'Too many sign-ins at this moment. Try again in a few seconds.',
          retryAfterSeconds: 2,
        });
      }
      // Whoever finishes hands over its place: `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
  return { inTurn, load: (): HashLoad => ({ running, waiting: waiting.length }) };
}
