import { pointed } from '../http/json-pointer.ts';
import { reasonOf, statusMeaning } from '../http/judge.ts';
import type { GatewayAnswer } from '../preset.ts';
import type { Outcome } from '../types.ts';

/** What a body in JSON says; undefined when it is cut or says something else. */
export function parsed(answer: GatewayAnswer): unknown {
  if (!answer.complete) return undefined;
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}

/** Text or a number at a JSON Pointer, as text. */
export function textAt(json: unknown, pointer: string): string | null {
  const found = pointed(json, pointer);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : null;
}

/** The longest id that is kept. */
const MAX_ID = 200;

export const accepted = (id: string | null): Outcome => ({
  status: 'accepted',
  gatewayId: id?.slice(0, MAX_ID) ?? null,
});

/** Not accepted, in the gateway's own words. */
export const failed = (answer: GatewayAnswer, status: Exclude<Outcome['status'], 'accepted'>): Outcome => ({
  status,
  reason: reasonOf(answer),
});

/** Codes of a vendor, by what they mean for a message. */
export type Codes = Partial<Record<'rejected' | 'unavailable' | 'unknown', readonly string[]>>;

/**
 * What an answer means that is no success: by the vendor's own code where it is known, else by the status. A success
 * by its status that did not say what a success says may have been one.
 */
export function refused(answer: GatewayAnswer, code: string | null, codes: Codes): Outcome {
  for (const status of ['rejected', 'unavailable', 'unknown'] as const) {
    if (code !== null && codes[status]?.includes(code)) return failed(answer, status);
  }
  return failed(answer, statusMeaning(answer.status));
}
