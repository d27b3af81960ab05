import { endedEvents, endLogins } from '../../flows/index.ts';
import { after } from '../../lib/clock.ts';
import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import { sendRiders } from '../../storage/index.ts';
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

/** Thrown to undo everything: who has sent a form was signed out before it came to be written. */
export class SignedOut extends Error {}

/**
 * A session that has ended changes nothing any more, whatever was under way. Call it with the user's row held, as whoever
 * ends all access of a user holds it.
 */
export async function demandSession(
  { sessions }: Pick<AccountDeps, 'sessions'>,
  tx: Tx,
  { now, session }: Visit,
): Promise<void> {
  if (!(await sessions.find(tx, session.id, now))) throw new SignedOut();
}

type Ending = Pick<AccountDeps, 'audit' | 'devices' | 'endTokens' | 'otp' | 'sessions'>;

/**
 * Ends whatever other browsers have by what was true before: the code that a stolen phone has got, too, and the login that
 * waits for it. This browser has just shown two factors and goes on. Call it with the user's row held.
 */
export async function endOthers(deps: Ending, tx: Tx, visit: Visit): Promise<void> {
  const { audit, devices, endTokens, otp, sessions } = deps;
  const { now, session, user } = visit;
  const reason = 'factors-changed';
  await demandSession(deps, tx, visit);
  await sendRiders(tx, [otp.killingAll(tx, user.id, now)]);
  const ended = await endLogins(tx, user.id, null, now);
  await sessions.revokeAll(tx, user.id, reason, now, session.id);
  await devices.revokeAll(tx, user.id, reason, now);
  await endTokens(tx, user.id, { exceptSessionId: session.id });
  await audit.record(tx, now, endedEvents(ended, user.id, reason));
}
