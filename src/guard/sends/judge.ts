import { parseDuration } from '../../lib/duration.ts';
import type { SendRequest } from '../types.ts';
import { type DayCount, dayOf, isLearning, judgeConversion } from './conversion.ts';
import type { Decision } from './decisions.ts';
import type { Destination } from './destination.ts';
import { isEnforced, type Rule } from './entries.ts';
import type { Mode, RuleName, SendsDocument } from './settings.ts';
import type { Counted } from './store.ts';

const DAY_MS = 86_400_000;

/** A rule that says no, or would if it were not only to record. */
export interface Verdict {
  rule: RuleName;
  mode: Mode;
  enforced: boolean;
  figures: Decision['figures'];
  /** Null: not in this login. */
  retryAt: Date | null;
}

/** Before anything is known of who asks, the browser has to show that it means it. */
export function judgeFirstContact(sends: SendsDocument, request: SendRequest): Verdict[] {
  if (!request.firstContact) return [];
  const mode = sends.modes['first-contact'];
  const enforced = isEnforced(mode, request);
  return [{ rule: 'first-contact', mode, enforced, figures: {}, retryAt: null }];
}

/** What a number's country and kind say by themselves; nothing has to be counted for it. */
export function judgeDestination(
  sends: SendsDocument,
  request: SendRequest,
  destination: Destination | null,
): Verdict[] {
  if (destination === null) return [];
  const verdict = (
    rule: 'country' | 'number-type',
    denied: boolean,
    figures: Decision['figures'],
  ): Verdict => {
    const mode = denied ? sends.modes[rule] : 'record';
    return { rule, mode, enforced: isEnforced(mode, request), figures, retryAt: null };
  };
  const { type } = destination;
  const country = destination.country ?? '';
  const known = sends.home.length === 0 || sends.home.includes(country) || sends.allow.includes(country);
  const verdicts: Verdict[] = [];
  if (sends.deny.includes(country) || (!known && sends.others === 'deny')) {
    verdicts.push(verdict('country', true, { class: 'deny' }));
  } else if (!known) verdicts.push(verdict('country', false, { class: 'watch' }));
  if (type !== null && sends.refuseTypes.includes(type)) {
    verdicts.push(verdict('number-type', true, { type }));
  } else if (type !== null && sends.watchTypes.includes(type)) {
    verdicts.push(verdict('number-type', false, { type }));
  }
  return verdicts;
}

/** Whether a row had no room, by what it was before. The statement that counts looks at the same (store.ts). */
export function judgeCounted(rule: Rule, counted: Counted, now: Date): Verdict | null {
  if (rule.rule === null) return null;
  const found = limitOf(rule, counted, now);
  if (found === null) return null;
  return { ...found, rule: rule.rule, mode: rule.mode, enforced: rule.enforced };
}

function limitOf(
  rule: Rule,
  { blockedUntil, marks, times }: Counted,
  now: Date,
): Pick<Verdict, 'figures' | 'retryAt'> | null {
  if (blockedUntil !== null && blockedUntil > now) {
    return { figures: { blocked: blockedUntil.toISOString() }, retryAt: blockedUntil };
  }
  if (rule.kind === 'sum') {
    const spent = marks[rule.mark] ?? 0;
    if (rule.most === null || spent < rule.most) return null;
    const retryAt = new Date((dayOf(now) + 1) * DAY_MS);
    return { figures: { spent, price: rule.amount, most: rule.most }, retryAt };
  }
  if (rule.kind === 'tags') {
    const [{ count, withinMs }] = rule.limits;
    const young = Object.entries(marks).filter(([, at]) => at > now.getTime() - withinMs);
    if (young.some(([mark]) => mark === rule.mark) || young.length < count) return null;
    const retryAt = new Date(Math.min(...young.map(([, at]) => at)) + withinMs);
    return { figures: { used: young.length, most: count }, retryAt };
  }
  const closed = rule.limits.flatMap((limit) => {
    const retryAt = new Date((times.at(-limit.count) ?? 0) + limit.withinMs);
    return retryAt > now ? [{ limit, retryAt }] : [];
  });
  const [last] = closed.toSorted((a, b) => b.retryAt.getTime() - a.retryAt.getTime());
  if (last === undefined) return null;
  const { count, withinMs } = last.limit;
  return {
    figures: { used: times.length, most: count, withinSeconds: withinMs / 1000 },
    retryAt: last.retryAt,
  };
}

/** The country's messages against its own history. A home country without one is only recorded. */
export function judgeCountry(
  sends: SendsDocument,
  request: SendRequest,
  country: string,
  counts: DayCount[],
  now: Date,
): Verdict | null {
  const judged = judgeConversion(counts, sends.conversion, now);
  if (judged === null) return null;
  const { retryAt, ...figures } = judged;
  const isHome = sends.home.length === 0 || sends.home.includes(country);
  const young = isHome && isLearning(counts, parseDuration(sends.conversion.learning), now);
  const mode: Mode = young ? 'record' : sends.modes.conversion;
  return { rule: 'conversion', mode, enforced: isEnforced(mode, request), figures, retryAt };
}
