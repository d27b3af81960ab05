import type { Crypto } from '../../crypto/types.ts';
import { parseDuration } from '../../lib/duration.ts';
import type { RandomSource } from '../../lib/ids.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import { readLock } from '../lock-store.ts';
import type { LookupQuestion, Lookups } from '../lookups/service.ts';
import type { LookupDocument } from '../lookups/settings.ts';
import type { Guard, SendAnswer, SendRequest } from '../types.ts';
import { type CountryStanding, standingFigures, standingOf } from './countries.ts';
import { type Decision, insertingDecisions } from './decisions.ts';
import { type Destination, destinationOf } from './destination.ts';
import {
  correctionsOf,
  countryKeys,
  countryOf,
  dayOfKey,
  notAgainst,
  type Rule,
  rulesFor,
  settlementsOf,
  takenBack,
} from './entries.ts';
import {
  judgeCounted,
  judgeCountry,
  judgeDestination,
  judgeFirstContact,
  judgeLookup,
  type Verdict,
} from './judge.ts';
import type { SendsDocument } from './settings.ts';
import { block, type Counted, countSends, settling } from './store.ts';

/** What a decision is told as, for metrics and alerts: never whose. */
export interface Decided {
  rule: string;
  action: Decision['action'];
  figures: Decision['figures'];
  appId: string | null;
  country: string | null;
}

export interface SendsDeps {
  /** The outer handle: what is counted is committed by itself. */
  db: Db;
  crypto: Crypto;
  random: RandomSource;
  rules(): SendsDocument;
  lookupRules(): LookupDocument;
  lookups: Lookups;
  decided?(decided: Decided): void;
}

type Sends = Pick<
  Guard,
  'allowSend' | 'lookUp' | 'recordingSend' | 'verifyingSend' | 'sendNotNeeded' | 'correctingSpend'
>;

/** Whether a message may be sent: every rule has to say yes. */
export function createSends(deps: SendsDeps): Sends {
  const { crypto, db, random } = deps;
  const told = (answer: SendAnswer): SendAnswer => {
    const { appId, country } = answer.about;
    for (const { action, figures, rule } of answer.decisions) {
      deps.decided?.({ action, appId, country, figures, rule: rule ?? 'none' });
    }
    return answer;
  };
  return {
    allowSend: async (request, now) => told(await allowSend(deps, request, now)),
    lookUp: async (request, now) => told(await lookUpOnly(deps, request, now)),

    recordingSend: (_handle, { about, decisions }, now) =>
      decisions.length === 0 ? [] : [insertingDecisions(about, decisions, now, random)],

    verifyingSend: (_handle, verified) => settling(settlementsOf(crypto, verified)),
    correctingSpend(_handle, paid) {
      const corrections = correctionsOf(deps.rules(), paid);
      return corrections.length === 0 ? [] : [settling(corrections)];
    },
    async sendNotNeeded(sent) {
      for (const one of sent) await sendRiders(db, [settling([notAgainst(one)])]);
    },
  };
}

async function allowSend(deps: SendsDeps, request: SendRequest, now: Date): Promise<SendAnswer> {
  const { crypto, db } = deps;
  const sends = deps.rules();
  const lock = request.lock ?? null;
  const destination = request.number == null ? null : destinationOf(request.number);
  const country = countryOf(destination);
  const standing = destination && standingOf(sends, request, destination);
  const answer = answering(request, destination, standing);
  const known = judgeDestination(sends, request, destination, standing);
  const byThemselves = [...judgeFirstContact(sends, request), ...known];
  if (known.some(({ enforced }) => enforced)) return answer(known);

  const rules = rulesFor(crypto, sends, request, destination, now);
  if (rules.length === 0) {
    const until = lock && (await readLock(db, lock.subjectKey, lock.factor, now));
    return until ? answer([], until) : answer(byThemselves);
  }
  const read = country === null ? [] : countryKeys(country, now);
  // What is held back in any case is not counted, not even for a moment: the owner may be asking in that moment.
  const hold = byThemselves.some(({ enforced }) => enforced);
  const { counted, lockedUntil, marks } = await countSends(db, rules, { lock, read, hold }, now);
  if (lockedUntil) return answer([], lockedUntil);

  const verdicts = [...byThemselves];
  for (const [at, rule] of rules.entries()) {
    const verdict = counted[at] && judgeCounted(rule, counted[at], now);
    if (verdict) verdicts.push(verdict);
  }
  const counts = [...marks].map(([key, of]) => ({ day: dayOfKey(key), marks: of }));
  const ofCountry = country === null ? null : judgeCountry(sends, request, country, counts, now);
  if (ofCountry) verdicts.push(ofCountry);

  const all = counted.every((one) => one.counted);
  const refused = verdicts.some(({ enforced }) => enforced);
  if (all && !refused) {
    const looked = await judgedElsewhere(deps, request, destination, now);
    // Asking has cost something, too: only what the message would have cost is given back.
    const isMoney = ({ kind }: Rule) => kind === 'sum';
    if (looked.some(({ enforced }) => enforced)) await giveBack(db, rules, counted, isMoney);
    return answer([...verdicts, ...looked, ...warnings(rules, counted)]);
  }
  await giveBack(db, rules, counted);
  // None seen at its limit: another message was counted at this very moment. Now it is to be seen.
  if (!refused) return allowSend(deps, request, now);
  const told = await Promise.all(verdicts.map((verdict) => withBlock(db, sends, rules, verdict, now)));
  return answer(told, null, pressureOf(rules, counted));
}

/** What is known elsewhere is asked for last, of numbers that everything else would let pass. */
async function judgedElsewhere(
  { lookupRules, lookups, rules }: SendsDeps,
  request: SendRequest,
  destination: Destination | null,
  now: Date,
): Promise<Verdict[]> {
  if (!request.mayWait || destination === null) return [];
  const looked = await lookups.find(questionOf(request), now);
  return looked === null ? [] : judgeLookup(rules(), lookupRules(), request, looked, now);
}

const questionOf = ({ appId, channel, number, numberHash }: SendRequest): LookupQuestion => ({
  ...{ appId: appId ?? null, channel: channel ?? null, number: number ?? '', numberHash },
});

/** Of what was looked up before only a refusal is told: the rest was told then. */
async function lookUpOnly(
  { lookupRules, lookups, rules }: SendsDeps,
  asked: SendRequest,
  now: Date,
): Promise<SendAnswer> {
  const request: SendRequest = { ...asked, passed: 'proof' };
  const destination = asked.number == null ? null : destinationOf(asked.number);
  const answer = answering(request, destination, null);
  const looked = destination === null ? null : await lookups.find(questionOf(request), now);
  const verdicts = looked === null ? [] : judgeLookup(rules(), lookupRules(), request, looked, now);
  const known = looked?.is === 'known' && !looked.fresh;
  const told = answer(verdicts.filter(({ enforced }) => enforced || !known));
  return { ...told, decisions: told.decisions.filter(({ rule }) => rule !== null) };
}

/** The network's messages weigh less: it has three times as many. */
function pressureOf(rules: Rule[], counted: Counted[]): number {
  const used = rules.map(({ rule }, at) => {
    const n = counted[at]?.times.length ?? 0;
    return rule === 'address' ? n : rule === 'network' ? n / 3 : 0;
  });
  return Math.max(0, ...used);
}

async function giveBack(
  db: Db,
  rules: Rule[],
  counted: Counted[],
  which: (rule: Rule) => boolean = () => true,
): Promise<void> {
  const settlements = rules.flatMap((rule, at) => {
    const row = counted[at];
    return row?.counted && which(rule) ? takenBack(rule, row.marks) : [];
  });
  if (settlements.length > 0) await sendRiders(db, [settling(settlements)]);
}

/** A prefix that has met its limit is closed for longer than the limit reaches. */
async function withBlock(
  db: Db,
  sends: SendsDocument,
  rules: Rule[],
  verdict: Verdict,
  now: Date,
): Promise<Verdict> {
  const prefix = rules.find(({ rule }) => rule === 'prefix');
  if (verdict.rule !== 'prefix' || verdict.mode !== 'enforce' || prefix === undefined) return verdict;
  const firstMs = parseDuration(sends.prefixBlock);
  const longestMs = parseDuration(sends.prefixLongestBlock);
  const { begun, until } = await block(db, prefix.key, { firstMs, longestMs }, now);
  const figures = begun ? { ...verdict.figures, blockBegun: until.toISOString() } : verdict.figures;
  return { ...verdict, figures, retryAt: until };
}

/** A message that takes a budget over four fifths is written down: somebody may want to act before it is spent. */
function warnings(rules: Rule[], counted: Counted[]): Verdict[] {
  return rules.flatMap((rule, at): Verdict[] => {
    if (rule.rule !== 'budget' || rule.kind !== 'sum' || rule.most === null) return [];
    const spent = counted[at]?.after?.[rule.mark] ?? 0;
    const before = spent - rule.amount;
    if (before >= 0.8 * rule.most || spent < 0.8 * rule.most) return [];
    const figures = { spent, price: rule.amount, most: rule.most, percent: 80 };
    return [{ rule: 'budget', mode: 'record', enforced: false, figures, retryAt: null }];
  });
}

const answering =
  (request: SendRequest, destination: Destination | null, standing: CountryStanding | null) =>
  (verdicts: Verdict[], lockedUntil: Date | null = null, pressure = 0): SendAnswer => {
    const { appId = null, channel = null, loginId = null, numberHash, userId } = request;
    const about = {
      ...{ appId, channel, loginId, userId, country: destination?.country ?? null },
      prefix: destination?.masked ?? null,
      numberHash: destination === null ? null : numberHash,
    };
    const common = { about, country: countryOf(destination) };
    if (lockedUntil) {
      const figures = { until: lockedUntil.toISOString() };
      const decisions: Decision[] = [{ rule: 'lock', mode: null, action: 'refuse', figures }];
      return {
        ...common,
        decisions,
        allowed: false,
        rule: 'lock',
        challenge: false,
        retryAt: lockedUntil,
        pressure,
      };
    }
    const decisions = verdicts.map(({ enforced, figures, mode, rule }): Decision => {
      const asks = mode === 'challenge' && !request.followUp;
      const action = !enforced ? 'record' : asks ? 'challenge' : 'refuse';
      return { rule, mode, action, figures };
    });
    const enforced = verdicts.filter((verdict) => verdict.enforced);
    const hard = enforced.filter(({ mode }) => mode === 'enforce');
    const [last] = (hard.length > 0 ? hard : enforced).toSorted((a, b) => endOf(b) - endOf(a));
    if (last) {
      const { retryAt, rule } = last;
      return { ...common, decisions, allowed: false, rule, retryAt, challenge: hard.length === 0, pressure };
    }
    const figures = standing === null ? {} : standingFigures(standing);
    const allow: Decision = { rule: null, mode: null, action: 'allow', figures };
    return { ...common, decisions: [...decisions, allow], allowed: true };
  };

const endOf = ({ retryAt }: Verdict): number => retryAt?.getTime() ?? Number.POSITIVE_INFINITY;
