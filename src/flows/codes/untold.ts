import type { CheckContext } from '../method.ts';
import { provedNumber } from './numbers.ts';

/** Before a factor was passed: the account's own counter beside the one of the typed name. */
export function untoldKey({ proved, services, user }: CheckContext, subjectKey: string): string | null {
  if (proved || !user) return null;
  const own = services.guard.subjectKey(user.id);
  return own === subjectKey ? null : own;
}

/**
 * Whether nothing can be right here before a factor was passed, because the account's way is locked or no code went out.
 * Neither is told.
 */
export async function isClosed(
  { named, now, proved, services: { db, guard }, user }: CheckContext,
  untold: string | null,
  factor: string,
): Promise<boolean> {
  if (proved) return false;
  const locked = untold !== null && (await guard.lockedUntil(db, untold, factor, now)) !== null;
  return locked || provedNumber(user, named) === null;
}
