import type { Channel } from '../../delivery/types.ts';
import type { User } from '../../users/types.ts';
import type { Facts } from './state.ts';

/** One phone gets both. */
const byPhone: readonly (Channel | null)[] = ['sms', 'voice'];

/**
 * The channel by which the user's forgotten password was replaced while this login was under way; null: none. One stolen
 * phone, or one mailbox, is not to be both of its factors.
 */
export function withheldOf(
  user: Pick<User, 'recoveredAt' | 'recoveredBy'> | null,
  startedAt: Date | null | undefined,
): 'sms' | 'email' | null {
  if (!user?.recoveredAt || !startedAt || user.recoveredAt < startedAt) return null;
  return user.recoveredBy === 'link' ? null : user.recoveredBy;
}

/** Whether the method's codes go where the code of the reset went. */
export function isWithheld(
  id: string,
  { methods, withheld = null }: Pick<Facts, 'methods' | 'withheld'>,
): boolean {
  const channel = methods.get(id)?.channel ?? null;
  if (withheld === null || channel === null) return false;
  return channel === withheld || (withheld === 'sms' && byPhone.includes(channel));
}
