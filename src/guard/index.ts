/**
 * Limits that outlive a login: waits after wrong passwords (per account, known browser and network address), locks of
 * one factor of one user after wrong codes, and whether a message may be sent: how many a number, a user, an address and
 * a country may cause, where they may go, and what they may cost.
 *
 * Owns the tables `factor_locks`, `send_histories`, `send_decisions` and `number_lookups` and the member `guard` of
 * gateway.yaml. Everything is decided by single statements, so that any number of tries at the same moment on any number of instances counts exactly.
 *
 * Not here: tries of one code (otp), sending (delivery), what the user is told (flows).
 *
 * Routes: none.
 */
import type { SealedColumn } from '../crypto/types.ts';
import type { PersonalRows, Sweep } from '../storage/types.ts';
import { type CaptchaKind, captchas, type Task } from './challenge.ts';
import { untilLifted } from './lock-store.ts';

export { addressKey } from './address.ts';
export { createAlerts } from './alerts.ts';
export { removeLocks } from './lock-store.ts';
export type { PostLookup } from './lookups/service.ts';
export { createGuard, type GuardDeps, subjectKeys } from './service.ts';
export { type GuardDocument, guardSection } from './settings.ts';

export const guardSweeps: Sweep[] = [
  { table: 'factor_locks' },
  { table: 'send_histories' },
  { table: 'send_decisions' },
  { table: 'number_lookups' },
];

export const guardPersonal: PersonalRows[] = [
  { table: 'send_decisions', emptied: ['user_id', 'number_hash', 'login_id'] },
];

export const guardSealed: SealedColumn[] = [
  { table: 'number_lookups', column: 'number_hash', what: 'numbers that were looked up' },
];

/** The field by which a captcha's own script answers; null for work without a vendor. */
export const captchaField = (kind: Task['kind']): string | null =>
  kind === 'proof-of-work' ? null : captchas[kind].field;

/** What a page shows for a captcha, and what its content security policy has to allow besides. */
export const captchaParts = (
  kind: CaptchaKind,
): Pick<(typeof captchas)[CaptchaKind], 'script' | 'widget' | 'policy'> => captchas[kind];

/** True for the moment of a lock that does not end by itself, but by an administrator or a recovery. */
export const isUntilLifted = (lockedUntil: Date): boolean => lockedUntil >= untilLifted;
