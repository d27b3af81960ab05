import type { VerifiedSend } from '../../guard/types.ts';
import { after } from '../../lib/clock.ts';
import { Type } from '../../lib/schema.ts';
import { type Text, text } from '../../lib/texts.ts';
import { otpFaults, otpMembers } from '../../otp/index.ts';
import type { User } from '../../users/types.ts';
import { compareCode } from '../codes/compare.ts';
import { provedNumber } from '../codes/numbers.ts';
import type { CheckContext, CheckResult, Effect, Entry, Method, NumberPlace, Pass } from '../method.ts';
import { codeScreen } from '../pages/code-screens.ts';
import { resetMethodId } from './flow.ts';
import type { RecoveryChannel } from './settings.ts';

/** Wrong codes that are compared for one account in a stretch of time, in however many runs at once. */
const triesPerWindow = 10;
const windowMs = 5 * 60_000;

const counterKey = (factor: string, key: string): string => `${factor}:${key}`;

/** Only what somebody has proved to read: an unverified address may be anybody's. */
const destinations: Record<RecoveryChannel, (user: User, named: NumberPlace) => string | null> = {
  email: (user) => (user.emailVerified ? user.email : null),
  sms: provedNumber,
};

const labels: Record<RecoveryChannel, string> = { email: 'reset.byEmail', sms: 'reset.bySms' };

/**
 * A code that replaces a forgotten password together with the next step. For a name without an account, or an account
 * without the channel, everything but the message happens; its page is the same, and no code is right.
 */
export const resetCode = (channel: RecoveryChannel): Method => ({
  id: resetMethodId(channel),
  kind: 'possession',
  amr: ['otp'],
  identifies: false,
  channel,
  enrols: false,
  options: Type.Partial(Type.Object(otpMembers), { additionalProperties: false }),
  faults: otpFaults,
  input: Type.Object({ code: Type.Optional(Type.String({ maxLength: 64 })) }),
  label: text(labels[channel]),
  texts: {},

  available: ({ user }) =>
    destinations[channel](user, 'first') === null ? { is: 'no', reason: 'no-destination' } : { is: 'yes' },

  begin: (entry) => (entry.sent === null ? [sendTo(channel, entry)] : []),

  screen: (view) => codeScreen('reset', view),

  async check(context, { action, values: { code = '' } }) {
    if (action === 'send' || action === 'resend') {
      return { is: 'stay', scratch: context.scratch, effects: [sendTo(channel, context)] };
    }
    return checkCode(channel, context, code);
  },
});

const sendTo = (
  channel: RecoveryChannel,
  { named, settings, user }: Pick<Entry, 'named' | 'settings' | 'user'>,
): Effect => ({
  ...{ type: 'send-code', method: resetMethodId(channel), channel, purpose: 'reset-code' },
  ...{ to: user && destinations[channel](user, named), suffix: '', settings },
});

const retry = (reason: string, sentence: Text, tried: boolean): CheckResult => ({
  ...{ is: 'retry', reason, text: sentence, field: 'code', tried },
});

/**
 * A try is reserved and counted before anything is compared, under the name as typed and under the account; told is only
 * what was done under the name.
 */
async function checkCode(
  channel: RecoveryChannel,
  context: CheckContext,
  typed: string,
): Promise<CheckResult> {
  const { named, now, services, settings, subjectKey, user } = context;
  const { counters, db, guard, otp } = services;
  // Apart from the factors of a login: whoever guesses here locks nobody out there.
  const factor = resetMethodId(channel);
  if (typed === '') return retry('empty', text('reset.empty'), false);
  if (subjectKey === null) return { is: 'fail', reason: 'no-user' };
  // A name without an account gets a second key, too: the same is read and counted for everyone.
  const own = guard.subjectKey(user ? user.id : `no account:${subjectKey}`);
  const keys = [subjectKey, own];
  const reservation = await otp.reserve(db, context.scope(''), services.codes(settings), {
    lock: guard.locking(subjectKey, factor, now),
    counting: keys.map((key) => (spent) => counters.adding(counterKey(factor, key), windowMs, now, 1, spent)),
  });
  if (reservation.status === 'locked') return { is: 'locked', until: reservation.until };
  if (reservation.status === 'none') return retry('none', text('reset.expired'), false);
  if (reservation.status === 'exhausted') return retry('exhausted', text('reset.exhausted'), false);
  const untold = await guard.lockedUntil(db, own, factor, now);
  const [tries = 0, untoldTries = 0] = reservation.counts;
  if (tries > triesPerWindow) return { is: 'locked', until: after(now, windowMs) };
  const to = user && destinations[channel](user, named);
  const closed = untold !== null || untoldTries > triesPerWindow || !to;
  const found = await compareCode(context, channel, { reservation, typed, closed });
  if (typeof found === 'object') return passWith(channel, context, keys, found.codeId);
  if (found === 'expired') return retry(found, text('reset.expired'), true);
  const [failed] = await Promise.all(keys.map((key) => guard.failed(db, key, factor, now)));
  if (failed?.lockedUntil) return { is: 'locked', until: failed.lockedUntil };
  const left = reservation.triesLeft;
  return retry('wrong', left > 0 ? text('reset.wrong', { count: left }) : text('reset.exhausted'), true);
}

function passWith(channel: RecoveryChannel, context: CheckContext, keys: string[], codeId: string): Pass {
  const { now, services } = context;
  const { counters, db, delivery, guard, otp } = services;
  const factor = resetMethodId(channel);
  const used = otp.consuming(db, codeId, now);
  return {
    is: 'pass',
    guards: [used.guard],
    lost: text('reset.used'),
    riders: (handle) => [
      ...used.riders,
      delivery.verifying(codeId, now),
      ...keys.map((key) => guard.succeeding(handle, key, factor)),
      ...keys.map((key) => counters.adding(counterKey(factor, key), windowMs, now, -1)),
      guard.verifyingSend(handle, verifiedSend(channel, context)),
    ],
    events: [{ name: 'code.verified', data: { method: factor } }],
  };
}

/** What the code stood for; the guard had counted it against the address, and a number's destination. */
const verifiedSend = (
  channel: RecoveryChannel,
  { deviceOf, ip, loginId, named, sent, user }: CheckContext,
): VerifiedSend => ({
  ...{ ip, loginId, deviceId: user && deviceOf(user.id), count: Math.max(1, sent?.count ?? 1) },
  number: channel === 'sms' ? provedNumber(user, named) : null,
  sentAt: sent && new Date(sent.at),
});
