import type { Rider } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';

/** One business event. Never a code, a secret, or a whole phone number. */
export interface AuditEvent {
  name: string;
  actor?: string | null;
  subject?: string | null;
  appId?: string | null;
  loginId?: string | null;
  sessionId?: string | null;
  ip?: string | null;
  userAgent?: string | null;
  result?: string | null;
  reason?: string | null;
  data?: Record<string, string | number | boolean | null>;
}

export interface Audit {
  /** Writes all events with one statement, in the caller's transaction where there is one. */
  record(db: Db, at: Date, events: AuditEvent[]): Promise<void>;
  /** The same as a part of another statement of that transaction. */
  riders(db: Db, at: Date, events: AuditEvent[]): Rider[];
}
