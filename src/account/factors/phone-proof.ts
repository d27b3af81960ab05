import { answerChallenge, solutionIn } from '../../flows/index.ts';
import type { Task } from '../../guard/types.ts';
import { after } from '../../lib/clock.ts';
import { Problem } from '../../lib/problem.ts';
import type { NewNotice } from '../../notices/types.ts';
import { happened, type Rider, sendRiders } from '../../storage/index.ts';
import type { Tx } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { AccountDeps, Submitted, Visit } from '../types.ts';
import { endOthers } from './change.ts';
import {
  type BegunProof,
  checkCode,
  codesOf,
  giveTryBack,
  method,
  type NumberPlace,
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

/** What is kept beside a number while it is proved. */
interface Kept extends Record<string, unknown> {
  which?: NumberPlace;
  task?: Task;
}

const keptOf = (which: NumberPlace, task: Task | null): Kept => ({ which, ...(task && { task }) });

const whose = ({ session, user }: Visit) => ({ userId: user.id, type, sessionId: session.id });

async function findBegun({ storage, users }: AccountDeps, visit: Visit): Promise<BegunProof | null> {
  const found = await users.credentials.begun(storage.db, whose(visit), visit.now);
  if (!found) return null;
  const { which = 'first', task = null } = found.data as Kept;
  return { id: found.id, phone: found.secret, which, task, expiresAt: after(found.createdAt, lifetimeMs) };
}

/** The challenge stays with the number that it is for. False where another request was first. */
const keepTask = (
  { storage, users }: AccountDeps,
  { id, task, which }: BegunProof,
  next: Task | null,
): Promise<boolean> =>
  storage.transaction((tx) => users.credentials.note(tx, id, keptOf(which, task), keptOf(which, next)));

async function send(
  deps: AccountDeps,
  visit: Submitted,
  proof: BegunProof,
  passed?: 'proof' | 'waited' | null,
): Promise<ProofState> {
  const state = await sendCode(deps, visit, proof, passed);
  if (state.pressure !== undefined) {
    await keepTask(deps, proof, deps.guard.newTask(state.pressure, visit.now));
  }
  return state;
}

async function prove(deps: AccountDeps, visit: Submitted, proof: BegunProof) {
  const { body, by, now } = visit;
  const { task } = proof;
  if (task === null) return null;
  const typed = { ip: by.ip ?? '', proof: solutionIn(task, body) };
  const answered = await answerChallenge(deps, task, typed, now);
  if ('is' in answered) return answered;
  if (!(await keepTask(deps, proof, null))) return null;
  return send(deps, visit, { ...proof, task: null }, answered.passed);
}

async function begin(
  deps: AccountDeps,
  visit: Submitted,
  { phone, which }: Pick<BegunProof, 'phone' | 'which'>,
): Promise<ProofState | 'too-many-numbers'> {
  const { storage, users } = deps;
  const { now, session, user } = visit;
  if ((await findBegun(deps, visit))?.phone !== phone) {
    const tried = await storage.counters.add(`phone-numbers:${user.id}`, numbersWindowMs, now);
    if (tried > numbersPerWindow) return 'too-many-numbers';
  }
  const expiresAt = after(now, lifetimeMs);
  const fresh = { userId: user.id, type, label: '', data: keptOf(which, null), secret: phone };
  const { id } = await storage.transaction((tx) =>
    users.credentials.begin(tx, fresh, { sessionId: session.id, expiresAt }, now),
  );
  return send(deps, visit, { id, phone, which, task: null, expiresAt });
}

export type PhoneProof = ReturnType<typeof createPhoneProof>;

export function createPhoneProof(deps: AccountDeps) {
  const { storage, users } = deps;
  return {
    begun: (visit: Visit) => findBegun(deps, visit),
    codes: () => codesOf(deps),

    /** Keeps the number and sends the first code. `too-many-numbers`: nothing was done. */
    begin: (visit: Submitted, number: Pick<BegunProof, 'phone' | 'which'>) => begin(deps, visit, number),

    /** What its page says on being shown again. */
    state: (visit: Visit, proof: BegunProof) => stateOf(deps, visit, proof),
    resend: (visit: Submitted, proof: BegunProof) => send(deps, visit, proof),
    /** Looks at what was sent for the challenge, and sends the code once it is passed. Null: there is none any more. */
    prove: (visit: Submitted, proof: BegunProof) => prove(deps, visit, proof),
    cancel: (visit: Visit) => storage.transaction((tx) => users.credentials.cancel(tx, whose(visit))),

    async check(visit: Submitted, typed: string): Promise<Checked> {
      const proof = await findBegun(deps, visit);
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
  const { now, user } = visit;
  const state = await stateOf(deps, visit, proof);
  const told = await notices.drafting(storage.db, user, noticeOf(visit, proof), now);
  try {
    await storage.transaction(async (tx) => {
      const present = await users.lock(tx, user.id);
      if (!present || !isAsBefore(present, visit, proof)) throw new Undone({ is: 'gone' });
      const used = deps.otp.consuming(tx, codeId, now);
      if (!(await happened(tx, used.guard))) throw new Undone({ is: 'used' });
      if (proof.which === 'second') await users.setSecondPhone(tx, user.id, proof.phone, now);
      else await users.setVerifiedPhone(tx, user.id, proof.phone, now);
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

/** Told to the numbers that were there before; not to the new one alone. */
function noticeOf({ by, locale, user }: Visit, { phone, which }: BegunProof): NewNotice {
  const before = [user.phoneVerified ? user.phone : null, user.secondPhone].flatMap((one) => one ?? []);
  const about = { locale, ip: by.ip ?? null, phone: before, values: { last2: phone.slice(-2) } };
  if (which === 'second') return { ...about, kind: 'number-added' };
  return { ...about, kind: user.phone === null ? 'factor-added' : 'phone-changed' };
}

/** A second number goes beside the first that it was meant for, and beside no other second one. */
function isAsBefore(present: User, { user }: Visit, { which }: BegunProof): boolean {
  if (present.phone !== user.phone) return false;
  return which === 'first' || (present.phoneVerified && present.secondPhone === null);
}

/** For the record of events. */
function changeOf({ user }: Visit, { which }: BegunProof): { name: string; data: Record<string, string> } {
  if (which === 'second') return { name: 'user.factor_added', data: { factor: method, number: which } };
  return user.phone === null
    ? { name: 'user.factor_added', data: { factor: method } }
    : { name: 'user.changed', data: { member: 'phone' } };
}

function proved(
  { audit, delivery, guard, storage }: AccountDeps,
  tx: Tx,
  visit: Submitted,
  proof: BegunProof,
  codeId: string,
  { at, count }: ProofState,
): Rider[] {
  const { by, deviceId, now, user } = visit;
  const { phone } = proof;
  const about = { ...by, subject: user.id };
  const changed = { ...about, ...changeOf(visit, proof) };
  const verified = { ip: by.ip ?? '', deviceId, number: phone, sentAt: new Date(at), count };
  return [
    delivery.verifying(codeId, now),
    ...giveTryBack({ guard, storage }, tx, guard.subjectKey(user.id), now),
    guard.verifyingSend(tx, verified),
    ...audit.riders(tx, now, [{ ...about, name: 'code.verified', data: { method } }, changed]),
  ];
}
