import { Problem } from '../lib/problem.ts';
import type { Tx } from '../storage/types.ts';
import { claimNumber, removeFirst, swap } from './phones/store.ts';
import { type UserChange, updateUser } from './store.ts';
import type { Users } from './types.ts';

/** What becomes of a user who exists. Throws Problem 404 for one who does not. */
export const changes = {
  setName: (tx, id, name, now) => change(tx, id, { name }, now),
  setPassword: (tx, id, passwordHash, now) =>
    change(tx, id, { password_hash: passwordHash, password_changed_at: now }, now),
  async setVerifiedPhone(tx, id, phone, now) {
    if (!(await claimNumber(tx, id, { phone, phone_verified: true }, now))) throw phoneTaken();
  },
  async removePhone(tx, id, now) {
    if (!(await removeFirst(tx, id, now))) throw notFound();
  },
  async setSecondPhone(tx, id, phone, now) {
    if (!(await claimNumber(tx, id, { second_phone: phone }, now))) throw phoneTaken();
  },
  removeSecondPhone: (tx, id, now) => change(tx, id, { second_phone: null }, now),
  async swapPhones(tx, id, now) {
    if (!(await swap(tx, id, now))) throw notFound();
  },
  setCodeOff: (tx, id, off, until, now) =>
    change(tx, id, { code_off: off, code_off_until: off ? until : null }, now),
  setDisabled: (tx, id, disabled, now) => change(tx, id, { disabled_at: disabled ? now : null }, now),
  removePassword: (tx, id, now) => change(tx, id, { password_hash: null, password_changed_at: now }, now),
  recover: (tx, id, { passwordHash, by }, now) =>
    change(
      tx,
      id,
      {
        password_hash: passwordHash,
        password_changed_at: now,
        recovered_at: now,
        recovered_by: by,
      },
      now,
    ),
  setDeletion: (tx, id, at, now) => change(tx, id, { delete_at: at }, now),
} satisfies Partial<Users>;

async function change(tx: Tx, id: string, values: UserChange, now: Date): Promise<void> {
  if (await updateUser(tx, id, { ...values, updated_at: now })) return;
  throw notFound();
}

const notFound = (): Problem =>
  new Problem({ status: 404, code: 'user_not_found', message: 'There is no such user.' });

const phoneTaken = (): Problem =>
  new Problem({
    status: 409,
    code: 'phone_taken',
    message: 'This phone number already belongs to another account.',
  });
