import type { Audit } from '../audit/types.ts';
import { endedEvents, endLogins } from '../flows/index.ts';
import type { Devices, Sessions } from '../sessions/types.ts';
import type { Tx } from '../storage/types.ts';
import type { EndAccess } from './types.ts';

export interface AccessDeps {
  audit: Audit;
  sessions: Sessions;
  devices: Devices;
  /** Ends all codes, tokens and consents of a user. */
  endGrants(tx: Tx, userId: string): Promise<void>;
}

/**
 * In the order in which one leads to the next: a login that finishes at this moment is ended, or its session is there to
 * be ended; what a session has just given out is there to be removed. Lock the user's row first.
 */
export const createAccess =
  ({ audit, devices, endGrants, sessions }: AccessDeps): EndAccess =>
  async (tx, userId, reason, now, exceptLoginId = null) => {
    const ended = await endLogins(tx, userId, exceptLoginId, now);
    await sessions.revokeAll(tx, userId, reason, now);
    await devices.revokeAll(tx, userId, reason, now);
    await endGrants(tx, userId);
    await audit.record(tx, now, endedEvents(ended, userId, reason));
  };
