import { after } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { newId, type RandomSource } from '../../lib/ids.ts';
import { signWebhook, webhookKey } from '../../lib/standard-webhooks.ts';
import type { Db } from '../../storage/types.ts';
import { type NumberType, numberTypes } from '../sends/destination.ts';
import type { LookupDocument } from './settings.ts';
import { findLookup, type Kept, keepLookup } from './store.ts';

/** Posts by the checked way out. Throws when there is no whole answer in time. */
export type PostLookup = (
  url: URL,
  body: string,
  headers: Record<string, string>,
  options: { timeoutMs: number; allowPrivateNetwork: boolean },
) => Promise<{ status: number; body: string }>;

export interface LookupsDeps {
  db: Db;
  random: RandomSource;
  rules(): LookupDocument;
  post: PostLookup;
}

export type Looked =
  | {
      is: 'known';
      /** Null: an ordinary one, or nobody knows. */
      lineType: NumberType | null;
      simSwappedAt: Date | null;
      /** Asked for just now. */
      fresh: boolean;
    }
  | { is: 'failed'; why: string };

export interface LookupQuestion {
  number: string;
  numberHash: string;
  channel: string | null;
  appId: string | null;
}

export interface Lookups {
  /** What is known of the number elsewhere. Null: nobody is to be asked. */
  find(question: LookupQuestion, now: Date): Promise<Looked | null>;
}

export function createLookups(deps: LookupsDeps): Lookups {
  return {
    async find(question, now) {
      const rules = deps.rules();
      if (rules.url === '') return null;
      const kept = await findLookup(deps.db, question.numberHash, now);
      if (kept !== null) return { ...knownBy(kept), fresh: false };
      const answer = await ask(deps, rules, question, now);
      if (answer.is === 'failed') return answer;
      const keepMs = parseDuration(rules.keep);
      if (keepMs > 0) await keepLookup(deps.db, question.numberHash, answer.kept, after(now, keepMs), now);
      return { ...knownBy(answer.kept), fresh: true };
    },
  };
}

const typeOf = (name: string | null): NumberType | null => numberTypes.find((type) => type === name) ?? null;

const knownBy = ({ lineType, simSwappedAt }: Kept) => ({
  ...{ is: 'known' as const, lineType: typeOf(lineType), simSwappedAt },
});

type Answer = { is: 'answered'; kept: Kept } | { is: 'failed'; why: string };

async function ask(
  { post, random }: LookupsDeps,
  rules: LookupDocument,
  { appId, channel, number }: LookupQuestion,
  now: Date,
): Promise<Answer> {
  const key = webhookKey(rules.secret);
  if (key === null) return { is: 'failed', why: 'its secret cannot be read' };
  const body = JSON.stringify({ number, channel, app: appId });
  const signed = Object.fromEntries(signWebhook(key, newId('lkp', random), body, now));
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...signed };
  const { allowPrivateNetwork, timeout, url } = rules;
  try {
    const options = { timeoutMs: parseDuration(timeout), allowPrivateNetwork };
    const answer = await post(new URL(url), body, headers, options);
    if (answer.status !== 200) return { is: 'failed', why: `answered ${answer.status}` };
    const kept = readAnswer(answer.body, now);
    return kept === null ? { is: 'failed', why: 'its answer cannot be read' } : { is: 'answered', kept };
  } catch {
    return { is: 'failed', why: 'gave no answer in time' };
  }
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Null for what is no answer. Kinds of lines that we have no word for are ordinary ones. */
function readAnswer(body: string, now: Date): Kept | null {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return null;
  const { lineType = null, simSwappedAt = null } = answer as Record<string, unknown>;
  if (lineType !== null && typeof lineType !== 'string') return null;
  if (simSwappedAt === null) return { lineType: typeOf(lineType), simSwappedAt: null };
  const at =
    typeof simSwappedAt === 'string' && rfc3339.test(simSwappedAt) ? Date.parse(simSwappedAt) : Number.NaN;
  if (Number.isNaN(at)) return null;
  // A clock that is ahead must not put a swap into the future, where it would count for longer.
  return { lineType: typeOf(lineType), simSwappedAt: new Date(Math.min(at, now.getTime())) };
}
