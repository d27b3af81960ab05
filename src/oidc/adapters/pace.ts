import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { addressKey } from '../../guard/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Counters } from '../../storage/types.ts';
import { requestOf } from '../unit.ts';

const minuteMs = 60_000;
/** Begun within a minute by one app that has proved who it is. */
const perApp = 6_000;
/** Begun from one address in the name of an app that cannot prove it: anybody may say that he is it. */
const perAddress = 300;

/**
 * Bounds what apps leave here before anybody has logged in. Counted once the app is known, so that nobody uses up
 * another's. Throws with 429 and Retry-After when it is too much (RFC 6585, section 4).
 */
export async function keepPace(
  { counters, clock }: { counters: Counters; clock: Clock },
  kind: 'pushed' | 'device',
): Promise<void> {
  const context = Provider.ctx as KoaContextWithOIDC;
  const { client } = context.oidc;
  const proven = client?.clientAuthMethod !== 'none';
  const key = `${kind}:${client?.clientId}${proven ? '' : `:${addressKey(requestOf(context).ip)}`}`;
  const now = clock.now();
  if ((await counters.add(key, minuteMs, now)) <= (proven ? perApp : perAddress)) return;
  // What is refused does not count: who waits finds room.
  await counters.add(key, minuteMs, now, -1);
  context.set('Retry-After', String(minuteMs / 1000));
  throw refusal(429, {
    error: 'temporarily_unavailable',
    error_description: 'too many requests of this kind within a minute',
  });
}

export function refusal(
  status: number,
  answer: { error: string; error_description: string },
): errors.OIDCProviderError {
  const error = new errors.OIDCProviderError(status, answer.error);
  error.error_description = answer.error_description;
  return error;
}
