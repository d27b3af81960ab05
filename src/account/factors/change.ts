import { after } from '../../lib/clock.ts';
import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import type { Tx } from '../../storage/types.ts';
import type { AccountDeps, Visit } from '../types.ts';

/*
 * What holds for every change of what somebody signs in with.
 */

/** Who has just got in by a forgotten password may be somebody else: the owner gets a day to hear of it. */
const heldMs = 24 * 60 * 60_000;
const hourMs = 60 * 60_000;

export const changeTexts: Catalogue = {
  'account.held': {
    one: 'Your forgotten password was replaced a short while ago. For your safety this can be changed in {count} hour.',
    other:
      'Your forgotten password was replaced a short while ago. For your safety this can be changed in {count} hours.',
  },
  'account.ends': 'When this changes, you are signed out everywhere else.',
};

/** Why what takes a code away from its owner is not possible yet; null: it is. */
export function heldBack({ now, user: { recoveredAt } }: Pick<Visit, 'now' | 'user'>): Text | null {
  const leftMs = recoveredAt === null ? 0 : after(recoveredAt, heldMs).getTime() - now.getTime();
  return leftMs > 0 ? text('account.held', { count: Math.ceil(leftMs / hourMs) }) : null;
}

/** Ends whatever other browsers have by what was true before. This one has just shown two factors and goes on. */
export async function endOthers(
  { devices, endTokens, sessions }: Pick<AccountDeps, 'devices' | 'endTokens' | 'sessions'>,
  tx: Tx,
  { now, session, user }: Visit,
): Promise<void> {
  await sessions.revokeAll(tx, user.id, 'factors-changed', now, session.id);
  await devices.revokeAll(tx, user.id, 'factors-changed', now);
  await endTokens(tx, user.id, { exceptSessionId: session.id });
}
