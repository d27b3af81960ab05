import type { SessionLimits } from '../apps/types.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Session } from './types.ts';

/** True when the session was unused for longer than the app allows, now or at any time since it was last signed in to. */
export function tooIdle(session: Session, limits: SessionLimits | undefined, now: Date): boolean {
  if (limits?.idle === undefined) return false;
  const gap = Math.max(session.longestGapSeconds * 1000, now.getTime() - session.lastSeenAt.getTime());
  return gap >= parseDuration(limits.idle);
}

/** True when an app may rely on the session: neither unused for too long nor signed in to too long ago. */
export function isWithin(session: Session, limits: SessionLimits | undefined, now: Date): boolean {
  if (tooIdle(session, limits, now)) return false;
  if (limits?.absolute === undefined) return true;
  return now.getTime() - session.authTime.getTime() < parseDuration(limits.absolute);
}

/**
 * How old a factor of the session may be for the app, in milliseconds; null for any age.
 * @param maxAgeMs what the request itself demands
 */
export function oldestFactorMs(
  session: Session | undefined,
  limits: SessionLimits | undefined,
  maxAgeMs: number | null,
  now: Date,
): number | null {
  if (session && tooIdle(session, limits, now)) return 0;
  if (limits?.absolute === undefined) return maxAgeMs;
  return Math.min(maxAgeMs ?? Number.POSITIVE_INFINITY, parseDuration(limits.absolute));
}
