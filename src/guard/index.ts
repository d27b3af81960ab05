/**
 * Limits that outlive a login: waits after wrong passwords (per account, known browser and network address), locks of
 * one factor of one user after wrong codes, and how many messages a number, a user and an address may cause.
 *
 * Owns the tables `factor_locks` and `send_histories` and the member `guard` of gateway.yaml. Everything is decided by
 * single statements, so that any number of tries at the same moment on any number of instances counts exactly.
 *
 * Not here: tries of one code (otp), what a message may cost and where it may go, what the user is told (flows).
 *
 * Routes: none.
 */
import type { Sweep } from '../storage/types.ts';
import { untilLifted } from './lock-store.ts';

export { addressKey } from './address.ts';
export { createGuard, type GuardDeps } from './service.ts';
export { type GuardDocument, guardSection } from './settings.ts';

export const guardSweeps: Sweep[] = [{ table: 'factor_locks' }, { table: 'send_histories' }];

/** True for the moment of a lock that does not end by itself, but by an administrator or a recovery. */
export const isUntilLifted = (lockedUntil: Date): boolean => lockedUntil >= untilLifted;
