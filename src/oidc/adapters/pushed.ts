import type { Adapter } from 'oidc-provider';
import type { Clock } from '../../lib/clock.ts';
import type { Counters } from '../../storage/types.ts';
import { keepPace, refusal } from './pace.ts';

/** Bytes of a form: what a URL may hold twice over, with a signature and an assertion. */
export const longestPushed = 16 * 1024;
/** The same as it is kept: JSON in base64url. */
const longestKept = longestPushed * 1.5;

/** As the library answers errors. Throws nothing. */
export const tooLarge = {
  error: 'invalid_request',
  error_description: `a pushed request has at most ${longestPushed} bytes`,
};

/** Pushed requests, with an end to how many and how large they may be (RFC 9126, section 2.3: 413 and 429). */
export function createPushedAdapter(deps: {
  /** The adapter of a model. */
  adapter(model: string): Adapter;
  counters: Counters;
  clock: Clock;
}): Adapter {
  const requests = deps.adapter('PushedAuthorizationRequest');
  return {
    ...requests,
    async upsert(id, payload, expiresIn) {
      // A body of unknown length was not measured when it came in.
      if ((payload.request?.length ?? 0) > longestKept) throw refusal(413, tooLarge);
      await keepPace(deps, 'pushed');
      await requests.upsert(id, payload, expiresIn);
    },
  };
}
