import { after } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import type { Looked } from '../lookups/service.ts';
import type { LookupDocument } from '../lookups/settings.ts';
import type { SendRequest } from '../types.ts';
import { type DayCount, dayOf, isLearning, judgeConversion } from './conversion.ts';
import { type CountryStanding, standingFigures } from './countries.ts';
import type { Decision } from './decisions.ts';
import type { Destination, NumberType } from './destination.ts';
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

/**
 * What a number's country and kind say by themselves; nothing has to be counted for it. Of what follows a message that
 * has gone there nothing is asked twice: a challenge for the destination was passed for that one.
 */
export function judgeDestination(
  sends: SendsDocument,
  asked: SendRequest,
  destination: Destination | null,
  standing: CountryStanding | null,
): Verdict[] {
  if (destination === null || standing === null) return [];
  const request: SendRequest = asked.followUp ? { ...asked, passed: 'proof' } : asked;
  const { type } = destination;
  return [
    ...judgeStanding(sends, request, standing),
    ...(type === null ? [] : judgeType(sends, request, type, { type })),
  ];
}

const byItself = (
  rule: RuleName,
  mode: Mode,
  request: SendRequest,
  figures: Decision['figures'],
): Verdict => ({
  ...{ rule, mode, enforced: isEnforced(mode, request), figures, retryAt: null },
});

function judgeStanding({ modes }: SendsDocument, request: SendRequest, standing: CountryStanding): Verdict[] {
  const { ceiling, class: of, price, risk } = standing;
  const figures = standingFigures(standing);
  if (of === 'deny') return [byItself('country', modes.country, request, figures)];
  if (ceiling !== null && price !== null && price.micros > ceiling.micros) {
    const most = `${ceiling.micros / 1_000_000} ${ceiling.currency}`;
    return [byItself('country', modes.country, request, { ...figures, most })];
  }
  if (risk === 'high') {
    const mode = modes.country === 'record' ? 'record' : 'challenge';
    return [byItself('country', mode, request, figures)];
  }
  const noted = risk === 'medium' || (of === 'watch' && risk !== 'low');
  return noted ? [byItself('country', 'record', request, figures)] : [];
}

function judgeType(
  { modes, refuseTypes, watchTypes }: SendsDocument,
  request: SendRequest,
  type: NumberType,
  figures: Decision['figures'],
): Verdict[] {
  if (refuseTypes.includes(type)) return [byItself('number-type', modes['number-type'], request, figures)];
  return watchTypes.includes(type) ? [byItself('number-type', 'record', request, figures)] : [];
}

/** Nobody waits for longer than this for who did not answer. */
const LOOKUP_RETRY_MS = 60_000;

/** What somebody else knows of the number. */
export function judgeLookup(
  sends: SendsDocument,
  { onFailure, simSwappedWithin }: LookupDocument,
  request: SendRequest,
  looked: Looked,
  now: Date,
): Verdict[] {
  if (looked.is === 'failed') {
    const mode = onFailure === 'refuse' ? 'enforce' : 'record';
    const verdict = byItself('lookup', mode, request, { why: looked.why });
    return [{ ...verdict, retryAt: after(now, LOOKUP_RETRY_MS) }];
  }
  const { lineType, simSwappedAt } = looked;
  const verdicts =
    lineType === null ? [] : judgeType(sends, request, lineType, { type: lineType, by: 'lookup' });
  const until = simSwappedAt && after(simSwappedAt, parseDuration(simSwappedWithin));
  if (simSwappedAt === null || until === null || until <= now) return verdicts;
  const swapped = { swapped: simSwappedAt.toISOString() };
  return [
    ...verdicts,
    { ...byItself('sim-swap', sends.modes['sim-swap'], request, swapped), retryAt: until },
  ];
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
