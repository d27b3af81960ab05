import type { RawBuilder } from 'kysely';
import type { VerifiedSend } from '../../guard/types.ts';
import { after } from '../../lib/clock.ts';
import { Type } from '../../lib/schema.ts';
import { type Text, text } from '../../lib/texts.ts';
import { otpFaults, otpMembers } from '../../otp/index.ts';
import type { Tx } from '../../storage/types.ts';
import { normalisePhone } from '../../users/index.ts';
import { compareCode } from '../codes/compare.ts';
import { addressedTo, endsOf, isSending, numberAt, otherNumber, placeOf } from '../codes/numbers.ts';
import { isClosed, untoldKey } from '../codes/untold.ts';
import type { CheckContext, CheckResult, Effect, Input, Method, Pass, Services } from '../method.ts';
import { codeScreen, numberScreen } from '../pages/code-screens.ts';

/** How many numbers may be tried out while setting up, in one login. */
const maxNumbers = 3;

/**
 * Wrong codes that are compared for one user in a stretch of time, however many logins they are typed into at once: the
 * lock comes after the fifth, when others may be under way already.
 */
const triesPerWindow = 10;
const windowMs = 5 * 60_000;

/** While the user sets up a number. */
interface Enrolling {
  /** Sealed. */
  phone?: string;
  /** Keyed hash of the number: its codes prove no other, whatever was typed before or after it. */
  suffix?: string;
  numbers?: number;
}

/**
 * A code by SMS to the number of the profile, or, where the flow lets people set one up, to a number typed here,
 * which the code proves. A typed number is never used instead of the profile's.
 */
export const smsOtp = {
  id: 'sms-otp',
  kind: 'possession',
  amr: ['sms'],
  identifies: false,
  channel: 'sms',
  enrols: true,
  options: Type.Partial(Type.Object(otpMembers), { additionalProperties: false }),
  faults: otpFaults,
  input: Type.Object({
    code: Type.Optional(Type.String({ maxLength: 64 })),
    phone: Type.Optional(Type.String({ maxLength: 64 })),
    country: Type.Optional(Type.String({ maxLength: 2 })),
  }),
  label: text('sms-otp.label'),
  texts: {
    'sms-otp.label': 'Get a code by SMS',
    'sms-otp.heading': 'Enter code',
    'sms-otp.headingSend': 'We will send you a code',
    'sms-otp.headingNone': 'No code yet',
    'sms-otp.headingPhone': 'Add your phone number',
    'sms-otp.sentencePhone': 'We will send a code to it, now and whenever you sign in.',
    'sms-otp.sentenceSend': 'It comes by SMS to the phone number of your account.',
    'sms-otp.sentTo': 'Sent to ••••• {last2} by SMS.',
    'sms-otp.sent': 'If your account has a phone number, a code is on its way to it.',
    'sms-otp.sending': 'We are sending the code to ••••• {last2}.',
    'sms-otp.delivered': 'The code has arrived at ••••• {last2}.',
    'sms-otp.calling': 'We are calling ••••• {last2} and say the code.',
    'sms-otp.stopped':
      'The number ••••• {last2} has asked us for no more messages. Send START to the number that our messages came from, or use another way.',
    'sms-otp.stoppedAlone':
      'The number ••••• {last2} has asked us for no more messages. Send START to the number that our messages came from, then try again.',
    'sms-otp.slow':
      'We do not know whether the code to ••••• {last2} went out. If it does not arrive, ask for another one; both will work.',
    'sms-otp.notSent': 'We could not send the code to ••••• {last2} just now. Try again, or use another way.',
    'sms-otp.notSentAlone':
      'We could not send the code to ••••• {last2} just now. Please try again in a moment.',
    'sms-otp.rejected': 'Our message to ••••• {last2} was not accepted. Please use another way.',
    'sms-otp.rejectedAlone':
      'Our message to ••••• {last2} was not accepted. Please ask whoever looks after this app whether the number is right.',
    'sms-otp.code': 'Code',
    'sms-otp.phone': 'Phone number',
    'sms-otp.country': 'Country',
    'sms-otp.countryNone': 'Choose a country',
    'sms-otp.next': 'Continue',
    'sms-otp.send': 'Send me the code',
    'sms-otp.resend': 'Send again',
    'sms-otp.other': 'Send it to the number ending in {last2} instead',
    'sms-otp.otherAlike': 'Send it to your other number instead',
    'sms-otp.changeNumber': 'Use another number',
    'sms-otp.notMine': 'I did not ask for this code',
    'sms-otp.empty': 'Please type the code from the message.',
    'sms-otp.wrong': {
      one: 'That is not the code. You have {count} try left.',
      other: 'That is not the code. You have {count} tries left.',
    },
    'sms-otp.unchecked': {
      one: 'We could not check the code just now. Please try again; you have {count} try left.',
      other: 'We could not check the code just now. Please try again; you have {count} tries left.',
    },
    'sms-otp.notPassed': {
      one: 'That is not the code, or it could not be checked just now. You have {count} try left.',
      other: 'That is not the code, or it could not be checked just now. You have {count} tries left.',
    },
    'sms-otp.expired': 'This code is no longer valid. We can send a new one.',
    'sms-otp.exhausted': 'Too many tries for this code. We can send a new one.',
    'sms-otp.used': 'This code has already been used. We can send a new one.',
    'sms-otp.badNumber':
      'This does not look like a phone number. Start with + and the country code, or choose the country.',
    'sms-otp.numberTaken': 'This phone number already belongs to another account.',
    'sms-otp.tooManyNumbers': 'No further number can be tried in this sign-in. Please start again.',
    'sms-otp.noMore': 'We cannot send another code in this sign-in.',
    'sms-otp.wait': 'A code was already asked for. Please wait a little before the next one.',
    'sms-otp.subject': 'Your code for {app}',
    'sms-otp.message': {
      one: '{code} is your code for {app}. It is valid for {count} minute. Do not share it with anyone.',
      other: '{code} is your code for {app}. It is valid for {count} minutes. Do not share it with anyone.',
    },
  },

  gather: async (_services, _db, user) => endsOf(user),

  available: ({ user }) => (user.phone === null ? { is: 'enrol' } : { is: 'yes' }),

  begin({ enrol, named, proved, sent, settings, user }) {
    // Whoever comes back from another option finds the code that was sent still valid.
    if (enrol || sent !== null) return [];
    return [sendTo(addressedTo(user, proved, named), 'login-code', '', settings)];
  },

  screen(view) {
    if (view.enrol && (view.scratch as Enrolling).phone === undefined) return numberScreen('sms-otp', view);
    return codeScreen('sms-otp', { ...view, other: otherNumber('sms-otp', view) });
  },

  async check(context, input) {
    if (context.enrol && context.user?.phone) return { is: 'fail', reason: 'number-known' };
    const enrolling = context.scratch as Enrolling;
    if (context.enrol && input.action === 'change-number') {
      return { is: 'stay', scratch: { numbers: enrolling.numbers ?? 0 }, effects: [] };
    }
    if (context.enrol && enrolling.phone === undefined) return takeNumber(context, enrolling, input);
    if (isSending(input.action)) return sendAgain(context, enrolling, input.action);
    return checkCode(context, enrolling, input.values.code ?? '');
  },
} satisfies Method;

const sendTo = (
  address: Pick<Effect, 'to' | 'number'>,
  purpose: Effect['purpose'],
  suffix: string,
  settings: Record<string, unknown>,
): Effect => ({
  ...{ type: 'send-code', method: 'sms-otp', channel: 'sms', purpose, ...address, suffix, settings },
});

function takeNumber(context: CheckContext, { numbers = 0 }: Enrolling, { values }: Input): CheckResult {
  const phone = normalisePhone(values.phone ?? '', values.country || undefined);
  if (phone === null) {
    const sentence = text('sms-otp.badNumber');
    return { is: 'retry', reason: 'bad-number', text: sentence, field: 'phone', tried: false };
  }
  if (numbers >= maxNumbers) {
    const sentence = text('sms-otp.tooManyNumbers');
    return { is: 'retry', reason: 'too-many-numbers', text: sentence, field: 'phone', tried: false };
  }
  const { crypto } = context.services;
  const suffix = crypto.mac('identifier', phone);
  const scratch = {
    phone: crypto.seal('identifier', phone, context.loginId),
    suffix,
    numbers: numbers + 1,
  } satisfies Enrolling;
  return { is: 'stay', scratch, effects: [sendTo({ to: phone }, 'enrol-code', suffix, context.settings)] };
}

function sendAgain(context: CheckContext, enrolling: Enrolling, action: string): CheckResult {
  const { proved, scratch, services, settings, user } = context;
  const { suffix = '' } = enrolling;
  if (enrolling.phone !== undefined) {
    const phone = services.crypto.open('identifier', enrolling.phone, context.loginId);
    return { is: 'stay', scratch, effects: [sendTo({ to: phone }, 'enrol-code', suffix, settings)] };
  }
  const address = addressedTo(user, proved, placeOf(context, action));
  return { is: 'stay', scratch, effects: [sendTo(address, 'login-code', '', settings)] };
}

const refusals = {
  wrong: 'sms-otp.wrong',
  unchecked: 'sms-otp.unchecked',
  'not-passed': 'sms-otp.notPassed',
};

async function checkCode(context: CheckContext, enrolling: Enrolling, typed: string): Promise<CheckResult> {
  const { now, services, settings, subjectKey } = context;
  const { db, guard, otp } = services;
  const retry = (reason: string, sentence: Text, tried: boolean): CheckResult => ({
    ...{ is: 'retry', reason, text: sentence, field: 'code', tried },
  });
  if (typed === '') return retry('empty', text('sms-otp.empty'), false);
  if (subjectKey === null) return { is: 'fail', reason: 'no-user' };
  const scope = context.scope(enrolling.suffix ?? '');
  const untold = untoldKey(context, subjectKey);
  const counted = [subjectKey, untold ?? []].flat();
  const reservation = await otp.reserve(db, scope, services.codes(settings), {
    lock: guard.locking(subjectKey, 'sms-otp', now),
    counting: counted.map((key) => (spent) => countTry(services, key, now, 1, spent)),
  });
  if (reservation.status === 'locked') return { is: 'locked', until: reservation.until };
  if (reservation.status === 'none') return retry('none', text('sms-otp.expired'), false);
  if (reservation.status === 'exhausted') return retry('exhausted', text('sms-otp.exhausted'), false);
  const [tries = 0, untoldTries = 0] = reservation.counts;
  if (tries > triesPerWindow) return { is: 'locked', until: after(now, windowMs) };
  const closed = (await isClosed(context, untold, 'sms-otp')) || untoldTries > triesPerWindow;
  const found = await compareCode(context, 'sms', { reservation, typed, closed });
  if (typeof found === 'object') return passWith(context, enrolling, counted, found.codeId);
  if (found === 'expired') return retry(found, text('sms-otp.expired'), true);
  if (found !== 'unchecked') {
    const failed = await guard.failed(db, subjectKey, 'sms-otp', now);
    if (untold !== null) await guard.failed(db, untold, 'sms-otp', now);
    if (failed.lockedUntil) return { is: 'locked', until: failed.lockedUntil };
  }
  const count = reservation.triesLeft;
  const sentence = count > 0 ? text(refusals[found], { count }) : text('sms-otp.exhausted');
  return retry(found, sentence, true);
}

/** Before anything is compared. A code that was right is given back. */
const countTry = ({ counters }: Services, key: string, now: Date, by: 1 | -1, when?: RawBuilder<boolean>) =>
  counters.adding(`sms-otp:${key}`, windowMs, now, by, when);

function passWith(context: CheckContext, enrolling: Enrolling, counted: string[], codeId: string): Pass {
  const { now, services } = context;
  const { db, delivery, guard, otp } = services;
  const sealed = enrolling.phone;
  const used = otp.consuming(db, codeId, now);
  return {
    is: 'pass',
    guards: [used.guard],
    ...(sealed !== undefined && { commit: (tx) => saveNumber(context, tx, sealed) }),
    lost: text('sms-otp.used'),
    refusal: { reason: 'number-taken', text: text('sms-otp.numberTaken') },
    riders: (handle) => [
      ...used.riders,
      delivery.verifying(codeId, now),
      ...counted.map((key) => guard.succeeding(handle, key, 'sms-otp')),
      guard.verifyingSend(handle, verifiedSend(context, enrolling)),
      ...counted.map((key) => countTry(services, key, now, -1)),
    ],
    events: [
      { name: 'code.verified', data: { method: 'sms-otp' } },
      ...(sealed === undefined ? [] : [{ name: 'user.factor_added', data: { factor: 'sms-otp' } }]),
    ],
  };
}

/** What the code stood for; the guard had counted it against the address and the number's destination. */
function verifiedSend(
  { deviceOf, ip, loginId, named, sent, services, user }: CheckContext,
  { phone }: Enrolling,
): VerifiedSend {
  const own = user && numberAt(user, sent?.number ?? named);
  return {
    ...{ ip, loginId, deviceId: user && deviceOf(user.id), count: Math.max(1, sent?.count ?? 1) },
    number: phone === undefined ? own : services.crypto.open('identifier', phone, loginId),
    sentAt: sent && new Date(sent.at),
    ...(sent?.here && { toNumber: sent.here }),
  };
}

/** Looked at again here: a number that has come into the profile meanwhile is not replaced. */
async function saveNumber(context: CheckContext, tx: Tx, sealed: string): Promise<boolean> {
  const { loginId, now, services, user } = context;
  const { crypto, users } = services;
  const present = user && (await users.lock(tx, user.id));
  if (!present || present.phone !== null) return false;
  await users.setVerifiedPhone(tx, present.id, crypto.open('identifier', sealed, loginId), now);
  return true;
}
