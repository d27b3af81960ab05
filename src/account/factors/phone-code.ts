import { codeWords } from '../../flows/index.ts';
import { isUntilLifted } from '../../guard/index.ts';
import type { Guard, SendAnswer, SendRequest, Task } from '../../guard/types.ts';
import { after } from '../../lib/clock.ts';
import { type OtpDocument, otpSettings } from '../../otp/index.ts';
import type { OtpSettings } from '../../otp/types.ts';
import { type Rider, sendRiders } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import { accountId } from '../app.ts';
import type { AccountDeps, Submitted, Visit } from '../types.ts';

/*
 * Codes that prove a number. The texts and the way they go are those of a login.
 */

export const method = 'sms-otp';
/** Its wrong codes close this way only, not the one to sign in by. */
const factor = 'phone-change';

const triesPerWindow = 10;
const triesWindowMs = 5 * 60_000;
/** However many tabs and sessions they are typed into. */
const tryKey = (subjectKey: string): string => `${factor}:${subjectKey}`;

/** Which of a person's two numbers it is to be. */
export type NumberPlace = 'first' | 'second';

export interface BegunProof {
  id: string;
  phone: string;
  which: NumberPlace;
  /** What the browser has to do before the next message. */
  task: Task | null;
  expiresAt: Date;
}

/** The last message, or why there is none. */
export interface ProofState {
  codeId: string | null;
  at: number;
  count: number;
  refused: { reason: string; until: number | null } | null;
  /** It may go out once the browser has passed a challenge; unused messages from the same place, lately. */
  pressure?: number;
}

export type Refused =
  | { is: 'locked'; until: Date | null }
  /** `unchecked`: who keeps the code could not be asked. */
  | { is: 'wrong' | 'unchecked'; left: number }
  | { is: 'expired' | 'exhausted' };

export const codesOf = ({ settings }: AccountDeps): OtpSettings =>
  otpSettings(settings.get<OtpDocument>('otp'));

/** Codes for one number prove no other, and those of one session nothing in another. */
const scopeOf = ({ crypto }: AccountDeps, { session, user }: Visit, { phone }: BegunProof): string =>
  ['phone-change', user.id, session.id, crypto.mac('identifier', phone)].join(':');

export async function stateOf(deps: AccountDeps, visit: Visit, proof: BegunProof): Promise<ProofState> {
  const { otp, storage } = deps;
  const found = await otp.find(storage.db, scopeOf(deps, visit, proof), codesOf(deps), visit.now);
  return {
    codeId: found?.codeId ?? null,
    at: (found?.lastSentAt ?? visit.now).getTime(),
    count: found?.sends ?? 0,
    refused: null,
  };
}

type Passed = NonNullable<SendRequest['passed']> | null;

/** `passed`: how the browser has passed a challenge for it. */
export async function sendCode(
  deps: AccountDeps,
  visit: Submitted,
  proof: BegunProof,
  passed: Passed = null,
): Promise<ProofState> {
  const { delivery, otp, storage } = deps;
  const { now, user } = visit;
  const before = await stateOf(deps, visit, proof);
  const next = before.count === 0 ? 0 : before.at + codesOf(deps).resendAfterMs;
  const refused = (reason: string, until: number | null): ProofState => ({
    ...before,
    refused: { reason, until },
  });
  // Looked at first: what may not be sent anyway is not to use up what the guard allows.
  if (next > now.getTime()) return refused('too-soon', next);
  const answer = await allowed(deps, visit, proof, passed);
  if (!answer.allowed) {
    await sendRiders(storage.db, deps.guard.recordingSend(storage.db, answer, now));
    const { challenge, pressure, retryAt, rule } = answer;
    if (challenge) return { ...before, pressure };
    return refused(rule, retryAt === null || isUntilLifted(retryAt) ? null : retryAt.getTime());
  }
  const issued = await storage.transaction(async (tx) => {
    const scope = scopeOf(deps, visit, proof);
    const request = { scope, userId: user.id, settings: codesOf(deps), expiresAt: proof.expiresAt };
    const code = await otp.issue(tx, request, now);
    if ('refused' in code) return code;
    const draft = delivery.draft(tx, messageOf(deps, visit, proof, code), now);
    const event = { ...visit.by, subject: user.id, name: 'code.issued', data: { method } };
    const decisions = deps.guard.recordingSend(tx, answer, now);
    await sendRiders(tx, [...draft.riders, ...decisions, ...deps.audit.riders(tx, now, [event])]);
    return { codeId: code.codeId, message: draft.message };
  });
  if ('refused' in issued) {
    return refused(issued.refused, issued.refused === 'too-soon' ? issued.retryAt.getTime() : null);
  }
  await delivery.send(issued.message);
  return { codeId: issued.codeId, at: now.getTime(), count: before.count + 1, refused: null };
}

function allowed(
  { crypto, guard }: AccountDeps,
  { by, deviceId, now, user }: Submitted,
  { phone }: BegunProof,
  passed: Passed,
): Promise<SendAnswer> {
  return guard.allowSend(
    {
      ...{ numberHash: crypto.mac('identifier', phone), number: phone, userId: user.id, ip: by.ip ?? null },
      ...{ deviceId, appId: accountId, channel: 'sms', loginId: null, passed, mayWait: true },
      lock: { subjectKey: guard.subjectKey(user.id), factor },
    },
    now,
  );
}

function messageOf(
  { delivery, http, settings }: AccountDeps,
  { locale, now, user }: Submitted,
  { phone }: BegunProof,
  { code, codeId, expiresAt }: { code: string; codeId: string; expiresAt: Date },
): Parameters<AccountDeps['delivery']['draft']>[1] {
  const app = { id: accountId, name: settings.get<string>('name') };
  const minutes = Math.max(1, Math.floor((expiresAt.getTime() - now.getTime()) / 60_000));
  const about = { locale, code, minutes };
  const purpose = 'enrol-code';
  const otherwise = codeWords(http.translate, method, { ...about, app: app.name });
  type Channel = Parameters<AccountDeps['delivery']['words']>[0]['channel'];
  const words = (channel: Channel) => delivery.words({ ...about, channel, purpose, app, otherwise });
  return {
    ...{ channel: 'sms', purpose, reference: codeId, to: phone, ...words('sms'), words, code, locale, app },
    user: { id: user.id, attributes: user.attributes },
    ...{ loginId: null, freshUntil: expiresAt },
  };
}

/** Tries are spent by committed statements before anything is compared. */
export async function checkCode(
  deps: AccountDeps,
  visit: Submitted,
  proof: BegunProof,
  typed: string,
): Promise<Refused | { is: 'right'; codeId: string }> {
  const { audit, guard, otp, storage } = deps;
  const { now, user } = visit;
  const subjectKey = guard.subjectKey(user.id);
  const reservation = await otp.reserve(storage.db, scopeOf(deps, visit, proof), codesOf(deps), {
    lock: guard.locking(subjectKey, factor, now),
    counting: [(spent) => storage.counters.adding(tryKey(subjectKey), triesWindowMs, now, 1, spent)],
  });
  if (reservation.status === 'locked') {
    return { is: 'locked', until: isUntilLifted(reservation.until) ? null : reservation.until };
  }
  if (reservation.status === 'none') return { is: 'expired' };
  if (reservation.status === 'exhausted') return { is: 'exhausted' };
  const [tries = 0] = reservation.counts;
  if (tries > triesPerWindow) return { is: 'locked', until: after(now, triesWindowMs) };
  const match = await otp.check(reservation, typed, now);
  if (typeof match !== 'string') return { is: 'right', codeId: match.codeId };
  const event = { ...visit.by, subject: user.id, name: 'code.refused', reason: match, data: { method } };
  await audit.record(storage.db, now, [event]);
  if (match === 'expired' || match === 'gone') return { is: 'expired' };
  const left = reservation.triesLeft;
  if (match === 'unchecked') return left > 0 ? { is: 'unchecked', left } : { is: 'exhausted' };
  const { lockedUntil } = await guard.failed(storage.db, subjectKey, factor, now);
  if (lockedUntil) return { is: 'locked', until: isUntilLifted(lockedUntil) ? null : lockedUntil };
  return left > 0 ? { is: 'wrong', left } : { is: 'exhausted' };
}

/** A code that was right gives its try back. */
export const giveTryBack = (
  { guard, storage }: { guard: Guard; storage: Pick<AccountDeps['storage'], 'counters'> },
  db: Db,
  subjectKey: string,
  now: Date,
): Rider[] => [
  guard.succeeding(db, subjectKey, factor),
  storage.counters.adding(tryKey(subjectKey), triesWindowMs, now, -1),
];
