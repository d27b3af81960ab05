import type { GatewayAnswer } from '../preset.ts';
import type { Outcome } from '../types.ts';
import { type Condition, readCondition, readExtraction } from './conditions.ts';
import type { HttpDocument } from './options.ts';
import { createPatterns } from './patterns.ts';

/** Says what an answer means. */
export interface Judge {
  /** True when the body could change nothing any more. */
  settled(head: GatewayAnswer): boolean;
  outcome(answer: GatewayAnswer): Outcome;
}

const DEFAULT_SUCCESS = [200, 201, 202];

/**
 * The gateway did surely not take the message, and another may: credentials (401, 403, 407), no credit (402), a
 * wrong address (404, 405, 410), asked to come back (408, 425, 429, 503), and moved without having been handled.
 */
const unavailable = new Set([301, 307, 308, 401, 402, 403, 404, 405, 407, 408, 410, 425, 429, 503]);

/** Reads `success`, `messageId` and `outcomes`. */
export function readJudge(document: HttpDocument, fault: (path: string, message: string) => void): Judge {
  const reading = { fault, patterns: createPatterns(fault) };
  const success = readCondition(document.success ?? {}, 'http.success', DEFAULT_SUCCESS, reading);
  const messageId = document.messageId && readExtraction(document.messageId, 'http.messageId', reading);
  const rules = (document.outcomes ?? []).map((rule, index) => ({
    outcome: rule.outcome,
    condition: readCondition(rule, `http.outcomes[${index}]`, null, reading),
  }));
  const meaning = (answer: GatewayAnswer): Outcome['status'] => {
    const rule = rules.find(({ condition }) => condition.holds(answer));
    return rule?.outcome ?? byDefault(answer, success);
  };
  const readsBody = (status: number) =>
    rules.some(({ condition }) => !condition.headOnly && condition.statusHolds(status));

  return {
    settled(head) {
      if (readsBody(head.status) || messageId?.fromBody || !success.headOnly) return false;
      return meaning(head) === 'accepted';
    },
    outcome(answer) {
      const status = meaning(answer);
      if (status === 'accepted') return { status, gatewayId: messageId?.extract(answer) ?? null };
      return { status, reason: reasonOf(answer) };
    },
  };
}

function byDefault(answer: GatewayAnswer, success: Condition): Outcome['status'] {
  const { status } = answer;
  if (success.statusHolds(status)) {
    const holds = success.holds(answer);
    if (holds === null) return 'unknown';
    // The gateway said in full that it did not do it, whatever the status pretends.
    return holds ? 'accepted' : 'unavailable';
  }
  return statusMeaning(status);
}

/** What a status means that is no success. */
export function statusMeaning(status: number): 'rejected' | 'unavailable' | 'unknown' {
  if (unavailable.has(status)) return 'unavailable';
  return status >= 400 && status < 500 ? 'rejected' : 'unknown';
}

/** The gateway's own words, with the time after which it wants to be asked again. */
export function reasonOf(answer: GatewayAnswer): string {
  const retryAfter = answer.headers['retry-after'];
  const parts = [`status ${answer.status}`];
  const { location } = answer.headers;
  if (location !== undefined && answer.status >= 300 && answer.status < 400)
    parts.push(`redirects to ${location}, which is not followed`);
  if (retryAfter !== undefined) parts.push(`Retry-After ${retryAfter}`);
  if (!answer.complete) parts.push('answer cut');
  const words = answer.body.trim();
  return words === '' ? parts.join(', ') : `${parts.join(', ')}: ${words}`;
}
