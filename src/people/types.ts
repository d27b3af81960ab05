import type { Tx } from '../storage/types.ts';

/**
 * Ends whatever an account has opened: logins under way, sessions, remembered devices, codes, tokens and consents, in the
 * transaction of the change that is the reason. Nothing of it comes back when the reason is gone.
 */
export type EndAccess = (
  tx: Tx,
  userId: string,
  reason: string,
  now: Date,
  /** The login that goes on. */
  exceptLoginId?: string | null,
) => Promise<void>;
