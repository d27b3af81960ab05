import Provider, { type Adapter, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { addressKey } from '../../guard/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Counters } from '../../storage/types.ts';
import { requestOf } from '../unit.ts';

/** The library's own: how long a pushed request can be used. What was pushed in this time is what can pile up. */
const lifeMs = 60_000;
/** Pushed by one app that has proved who it is. */
const perApp = 6_000;
/** Pushed from one address in the name of an app that cannot prove it: anybody may say that he is it. */
const perAddress = 300;

/** Bytes of a form: what a URL may hold twice over, with a signature and an assertion. */
export const longestPushed = 16 * 1024;
/** The same as it is kept: JSON in base64url. */
const longestKept = longestPushed * 1.5;

/** As the library answers errors. Throws nothing. */
export const tooLarge = {
  error: 'invalid_request',
  error_description: `a pushed request has at most ${longestPushed} bytes`,
};

/**
 * Pushed requests, with an end to how many and how large they may be (RFC 9126, section 2.3: 413 and 429). Counted once
 * the app is known, so that nobody uses up another's.
 */
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
      await countIn(deps, Provider.ctx as KoaContextWithOIDC);
      await requests.upsert(id, payload, expiresIn);
    },
  };
}

async function countIn(
  { counters, clock }: { counters: Counters; clock: Clock },
  context: KoaContextWithOIDC,
): Promise<void> {
  const { client } = context.oidc;
  const proven = client?.clientAuthMethod !== 'none';
  const key = `pushed:${client?.clientId}${proven ? '' : `:${addressKey(requestOf(context).ip)}`}`;
  const now = clock.now();
  if ((await counters.add(key, lifeMs, now)) <= (proven ? perApp : perAddress)) return;
  // What is refused does not count: who waits finds room.
  await counters.add(key, lifeMs, now, -1);
  context.set('Retry-After', String(lifeMs / 1000));
  throw refusal(429, {
    error: 'temporarily_unavailable',
    error_description: 'too many requests were pushed within a minute',
  });
}

function refusal(status: number, answer: typeof tooLarge): errors.OIDCProviderError {
  const error = new errors.OIDCProviderError(status, answer.error);
  error.error_description = answer.error_description;
  return error;
}
