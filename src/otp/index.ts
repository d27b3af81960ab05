/**
 * One-time codes: making them, counting sends and tries, single use.
 *
 * Owns the tables `otp_challenges` (one per scope, that is per step of a login) and `otp_codes` (one per message), and
 * the member `otp` of gateway.yaml. Every rule that must hold under concurrency is one guarded statement in store.ts.
 *
 * Not here: how a code reaches its user (delivery), limits over several logins (guard), what a page shows (flows).
 *
 * Routes: none.
 */
import type { SealedColumn } from '../crypto/types.ts';
import type { PersonalRows, Sweep } from '../storage/types.ts';

export { createOtp, type OtpDeps } from './service.ts';
export {
  type OtpDocument,
  type OtpOverrides,
  otpDefaults,
  otpFaults,
  otpMembers,
  otpSection,
  otpSettings,
} from './settings.ts';

/** Codes go with their challenge. */
export const otpSweeps: Sweep[] = [{ table: 'otp_challenges' }];

export const otpPersonal: PersonalRows[] = [{ table: 'otp_challenges' }];

export const otpSealed: SealedColumn[] = [
  { table: 'otp_codes', column: 'code_hash', what: 'one-time codes' },
];
