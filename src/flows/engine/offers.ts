import type { Availability } from '../method.ts';
import type { Option, Step } from '../types.ts';
import type { Facts, Offer } from './state.ts';
import { isWithheld } from './withheld.ts';

export type Offers =
  /** Empty: the step applies and nothing can pass it; the page says whom to ask. */
  { is: 'ask'; offered: Offer[] } | { is: 'skip'; reason: 'code-off' | 'unavailable' };

const usable = (method: string): Offer => ({ method, enrol: false });

/**
 * What a step offers to this user. Before a factor was passed everything is offered to
 * everyone: neither accounts nor their settings can be told apart, and nothing is skipped on anybody's word.
 * `insists`: the application asked for two factors, so the user's own switch does not excuse them.
 */
export function offersOf(step: Step, facts: Facts, proved: boolean, insists: boolean): Offers {
  const { person, methods } = facts;
  if (!proved || !person) return { is: 'ask', offered: step.options.map(({ method }) => usable(method)) };

  const availability = (option: Option): Availability => {
    const method = methods.get(option.method);
    if (!method) return { is: 'no', reason: 'unregistered' };
    return method.available({
      settings: option.settings,
      user: person.user,
      fact: person.own[option.method],
    });
  };
  const asked = step.options.map((option) => ({ option, availability: availability(option) }));
  const ready = asked.filter(({ availability: { is } }) => is === 'yes').map(({ option }) => option.method);
  const isMessage = (id: string) => (methods.get(id)?.channel ?? null) !== null;
  const isRecovery = (id: string) => methods.get(id)?.kind === 'recovery';

  const switchedOff =
    person.user.codeOff && step.userMayDisable && !insists && step.options.some((o) => isMessage(o.method));
  if (switchedOff) {
    const rest = ready.filter((id) => !isMessage(id));
    return rest.length === 0 ? { is: 'skip', reason: 'code-off' } : { is: 'ask', offered: rest.map(usable) };
  }

  // What is withheld was still there to be asked for: without it nothing is skipped, and nothing set up in its place.
  const offered = ready.filter((id) => !isWithheld(id, facts)).map(usable);
  if (step.onUnavailable === 'enrol' && ready.every(isRecovery)) {
    const fresh = asked.filter(({ availability: { is } }) => is === 'enrol');
    offered.unshift(...fresh.map(({ option }) => ({ method: option.method, enrol: true })));
  }
  if (ready.length === 0 && offered.length === 0 && step.onUnavailable === 'skip')
    return { is: 'skip', reason: 'unavailable' };
  return { is: 'ask', offered };
}

/**
 * Until when the step may be left for later; null: not at all. Only who has nothing at all to pass it with may: anything
 * else, a backup code too, is a factor that “Not now” would let a thief of the password go around.
 */
export function graceOf(
  step: Step,
  offered: readonly Offer[],
  { asked, now }: Facts,
  insists: boolean,
): number | null {
  if (step.graceMs === null || insists || offered.length === 0 || !offered.every(({ enrol }) => enrol)) {
    return null;
  }
  const until = (asked?.[step.id] ?? now) + step.graceMs;
  return until > now ? until : null;
}

/** The option that is entered directly: the only one besides recovery, or the only one at all. */
export function directOf(offered: readonly Offer[], facts: Pick<Facts, 'methods'>): Offer | null {
  const main = offered.filter(({ method }) => facts.methods.get(method)?.kind !== 'recovery');
  const candidates = main.length > 0 ? main : offered;
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}
