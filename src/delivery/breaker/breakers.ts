import type { Audit } from '../../audit/types.ts';
import { after } from '../../lib/clock.ts';
import type { Db, Storage, Tx } from '../../storage/types.ts';
import type { Outcome } from '../types.ts';
import * as store from './store.ts';

export interface BreakersDeps {
  storage: Pick<Storage, 'db' | 'transaction' | 'revisions'>;
  audit: Audit;
}

export type Admission =
  | { is: 'closed' }
  /** The one message that finds out whether the provider is back. */
  | { is: 'probe' }
  | { is: 'refused'; reason: string };

/** Leaves a provider alone that fails again and again. What is known of it is the same on all instances. */
export interface Breakers {
  admit(providerId: string, now: Date): Promise<Admission>;
  /** What came of a message that was admitted. */
  tell(providerId: string, outcome: Outcome, admission: Admission, now: Date): Promise<void>;
  /** A message that was accepted did not arrive, and that is not the number's own fault. */
  tellFailedReceipt(providerId: string, now: Date): Promise<void>;
  /** Those that are not asked at this moment. */
  open(now: Date): Map<string, store.OpenState>;
  reload(): Promise<void>;
}

/** Opened by so many failures in the window, when they are at least half of what was tried. */
const WINDOW_MS = 60_000;
const FAILURES = 5;
/** The first time; doubled with each try that fails. */
const OPEN_MS = 30_000;
const LONGEST_MS = 5 * 60_000;
/** What a gateway asks for is believed up to here: a wrong date must not switch it off for good. */
const LONGEST_ASKED_MS = 60 * 60_000;
/** Longer than one message may take. */
const PROBE_MS = 15_000;

/** The topic of revisions by which all instances learn of a change. */
export const breakersTopic = 'breakers';

/** What this process knows of providers that are not closed. */
interface Known {
  states: Map<string, store.OpenState>;
}

export function createBreakers(deps: BreakersDeps): Breakers {
  const { db } = deps.storage;
  const accepted = createAcceptedCounts();
  const known: Known = { states: new Map() };
  const { close, open } = createTransitions(deps, known);

  async function failed(providerId: string, probing: boolean, now: Date): Promise<void> {
    const windowStart = after(now, -WINDOW_MS);
    const count = accepted.take(providerId, windowStart);
    const state = await store.countFailure(db, { providerId, accepted: count, windowStart }, now);
    const many = state.failures >= FAILURES && state.failures >= state.accepted;
    if (!probing && !many) return;
    const span = Math.min(LONGEST_MS, OPEN_MS * 2 ** Math.min(state.openings, 8));
    await open(providerId, span, 'it has failed too often', now);
  }

  return {
    admit: (providerId, now) => admit(db, known, providerId, now),

    async tell(providerId, outcome, admission, now) {
      if (outcome.status === 'accepted' || outcome.status === 'rejected') {
        accepted.add(providerId, now);
        if (admission.is === 'probe') await close(providerId, now);
        return;
      }
      const asked = outcome.status === 'unavailable' ? (outcome.retryAfterMs ?? 0) : 0;
      if (asked > 0) {
        const ms = Math.min(asked, LONGEST_ASKED_MS);
        await open(providerId, ms, 'it has asked to be left alone for a while', now);
      } else await failed(providerId, admission.is === 'probe', now);
    },

    tellFailedReceipt: (providerId, now) => failed(providerId, false, now),

    open: (now) => new Map([...known.states].filter(([, { until }]) => until > now)),

    async reload() {
      known.states = await store.listOpen(db);
    },
  };
}

/** The provider has just taken a message that nobody admitted: somebody who runs the gateway has tried it out. */
export async function closeAfterTrial(
  { storage, audit }: BreakersDeps,
  providerId: string,
  now: Date,
): Promise<void> {
  const open = await store.findOpen(storage.db, providerId);
  if (open === null) return;
  await storage.transaction(async (tx) => {
    await store.forget(tx, providerId);
    await audit.record(tx, now, [
      { name: 'provider.closed', reason: 'a test message was accepted', data: { provider: providerId } },
    ]);
    await storage.revisions.bump(tx, breakersTopic);
  });
  await storage.revisions.refresh();
}

/** Costs a statement only where a provider is tried again. */
async function admit(db: Db, known: Known, providerId: string, now: Date): Promise<Admission> {
  const state = known.states.get(providerId);
  if (state === undefined) return { is: 'closed' };
  if (state.until > now) return refusal(state);
  if (await store.claimProbe(db, providerId, now, after(now, PROBE_MS))) return { is: 'probe' };
  const present = await store.findOpen(db, providerId);
  if (present === null) known.states.delete(providerId);
  else known.states.set(providerId, present);
  return present === null ? { is: 'closed' } : refusal(present);
}

/** Opening and closing: by one of all instances, which records it and tells the others. */
function createTransitions({ storage, audit }: BreakersDeps, known: Known) {
  async function changing(
    providerId: string,
    name: 'provider.opened' | 'provider.closed',
    state: store.OpenState | null,
    now: Date,
    change: (tx: Tx) => Promise<boolean>,
  ): Promise<void> {
    const changed = await storage.transaction(async (tx) => {
      if (!(await change(tx))) return false;
      const seconds = state && Math.round((state.until.getTime() - now.getTime()) / 1000);
      const data = { provider: providerId, ...(seconds !== null && { seconds }) };
      await audit.record(tx, now, [{ name, reason: state?.reason ?? null, data }]);
      await storage.revisions.bump(tx, breakersTopic);
      return true;
    });
    if (!changed) return;
    if (state) known.states.set(providerId, state);
    else known.states.delete(providerId);
  }
  return {
    open(providerId: string, ms: number, reason: string, now: Date): Promise<void> {
      const until = after(now, ms);
      return changing(providerId, 'provider.opened', { until, reason }, now, (tx) =>
        store.open(tx, { providerId, until, reason }, now),
      );
    },
    close: (providerId: string, now: Date): Promise<void> =>
      changing(providerId, 'provider.closed', null, now, (tx) => store.close(tx, providerId, now)),
  };
}

const refusal = ({ reason }: store.OpenState): Admission => ({
  is: 'refused',
  reason: `is not asked for the moment: ${reason}`,
});

/**
 * What this process saw accepted. It is written down only along with a failure: a message that goes well costs no
 * statement and touches no row that others touch, and a provider that never fails needs no count.
 */
function createAcceptedCounts() {
  const counts = new Map<string, { since: Date; n: number }>();
  return {
    add(providerId: string, now: Date): void {
      const present = counts.get(providerId);
      if (present && present.since > after(now, -WINDOW_MS)) present.n += 1;
      else counts.set(providerId, { since: now, n: 1 });
    },
    take(providerId: string, windowStart: Date): number {
      const present = counts.get(providerId);
      counts.delete(providerId);
      return present && present.since > windowStart ? present.n : 0;
    },
  };
}
