import { after } from '../../lib/clock.ts';
import { Problem } from '../../lib/problem.ts';
import { happened, type Rider, sendRiders } from '../../storage/index.ts';
import type { Tx } from '../../storage/types.ts';
import type { AccountDeps, Submitted, Visit } from '../types.ts';
import { endOthers } from './change.ts';
import {
  type BegunProof,
  checkCode,
  codesOf,
  giveTryBack,
  method,
  type ProofState,
  type Refused,
  sendCode,
  stateOf,
} from './phone-code.ts';

/*
 * A number that its owner has to prove before it is theirs. Until then it is in a row of its own, sealed and bound to the
 * session: nothing that is typed touches the profile.
 */

const type = 'phone-number';
const lifetimeMs = 15 * 60_000;

const numbersPerWindow = 5;
const numbersWindowMs = 60 * 60_000;

export type Checked =
  | { is: 'changed' }
  /** Nothing is begun here, or the profile has changed meanwhile. */
  | { is: 'gone' }
  /** Another account has proved it. */
  | { is: 'taken' }
  /** The code was right, and another request had it first. */
  | { is: 'used' }
  | Refused;

export type PhoneProof = ReturnType<typeof createPhoneProof>;

export function createPhoneProof(deps: AccountDeps) {
  const { storage, users } = deps;
  const whose = ({ session, user }: Visit) => ({ userId: user.id, type, sessionId: session.id });

  async function begun(visit: Visit): Promise<BegunProof | null> {
    const found = await users.credentials.begun(storage.db, whose(visit), visit.now);
    return found ? { phone: found.secret, expiresAt: after(found.createdAt, lifetimeMs) } : null;
  }

  return {
    begun,
    codes: () => codesOf(deps),

    /** Keeps the number and sends the first code. `too-many-numbers`: nothing was done. */
    async begin(visit: Submitted, phone: string): Promise<ProofState | 'too-many-numbers'> {
      const { now, session, user } = visit;
      if ((await begun(visit))?.phone !== phone) {
        const tried = await storage.counters.add(`phone-numbers:${user.id}`, numbersWindowMs, now);
        if (tried > numbersPerWindow) return 'too-many-numbers';
      }
      const expiresAt = after(now, lifetimeMs);
      const fresh = { userId: user.id, type, label: '', data: {}, secret: phone };
      await storage.transaction((tx) =>
        users.credentials.begin(tx, fresh, { sessionId: session.id, expiresAt }, now),
      );
      return sendCode(deps, visit, { phone, expiresAt });
    },

    /** What its page says on being shown again. */
    state: (visit: Visit, proof: BegunProof) => stateOf(deps, visit, proof),
    resend: (visit: Submitted, proof: BegunProof) => sendCode(deps, visit, proof),
    cancel: (visit: Visit) => storage.transaction((tx) => users.credentials.cancel(tx, whose(visit))),

    async check(visit: Submitted, typed: string): Promise<Checked> {
      const proof = await begun(visit);
      if (!proof) return { is: 'gone' };
      const checked = await checkCode(deps, visit, proof, typed);
      if (checked.is !== 'right') return checked;
      return save(deps, visit, proof, checked.codeId, (tx) => users.credentials.cancel(tx, whose(visit)));
    },
  };
}

/** Thrown to undo everything. */
class Undone extends Error {
  readonly checked: Checked;
  constructor(checked: Checked) {
    super(checked.is);
    this.checked = checked;
  }
}

async function save(
  deps: AccountDeps,
  visit: Submitted,
  proof: BegunProof,
  codeId: string,
  forget: (tx: Tx) => Promise<void>,
): Promise<Checked> {
  const { notices, storage, users } = deps;
  const { by, locale, now, user } = visit;
  const state = await stateOf(deps, visit, proof);
  const last2 = proof.phone.slice(-2);
  const old = user.phoneVerified ? user.phone : null;
  const about = { locale, ip: by.ip ?? null, phone: old };
  const told = await notices.drafting(
    storage.db,
    user,
    user.phone === null
      ? { ...about, kind: 'factor-added' }
      : { ...about, kind: 'phone-changed', values: { last2 } },
    now,
  );
  try {
    await storage.transaction(async (tx) => {
      const present = await users.lock(tx, user.id);
      if (!present || present.phone !== user.phone) throw new Undone({ is: 'gone' });
      const used = deps.otp.consuming(tx, codeId, now);
      if (!(await happened(tx, used.guard))) throw new Undone({ is: 'used' });
      await users.setVerifiedPhone(tx, user.id, proof.phone, now);
      await forget(tx);
      await endOthers(deps, tx, visit);
      await sendRiders(tx, [
        ...told.riders,
        ...used.riders,
        ...proved(deps, tx, visit, proof, codeId, state),
      ]);
    });
  } catch (error) {
    if (error instanceof Undone) return error.checked;
    if (!(error instanceof Problem && error.code === 'phone_taken')) throw error;
    await storage.transaction(forget);
    return { is: 'taken' };
  }
  told.send();
  return { is: 'changed' };
}

function proved(
  { audit, delivery, guard, storage }: AccountDeps,
  tx: Tx,
  { by, deviceId, now, user }: Submitted,
  { phone }: BegunProof,
  codeId: string,
  { at, count }: ProofState,
): Rider[] {
  const about = { ...by, subject: user.id };
  const changed =
    user.phone === null
      ? { ...about, name: 'user.factor_added', data: { factor: method } }
      : { ...about, name: 'user.changed', data: { member: 'phone' } };
  const verified = { ip: by.ip ?? '', deviceId, number: phone, sentAt: new Date(at), count };
  return [
    delivery.verifying(codeId, now),
    ...giveTryBack({ guard, storage }, tx, guard.subjectKey(user.id), now),
    guard.verifyingSend(tx, verified),
    ...audit.riders(tx, now, [{ ...about, name: 'code.verified', data: { method } }, changed]),
  ];
}
