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

/** An event as it was recorded. */
export interface PastEvent extends Pick<AuditEvent, 'name' | 'data'> {
  at: Date;
  appId: string | null;
  ip: string | null;
  userAgent: string | null;
  result: string | null;
  reason: string | null;
  /** Where it stands, for {@link HistoryWish.before}. */
  place: string;
}

export interface HistoryWish {
  /** Events of these names; null: all. */
  names: string[] | null;
  since: Date;
  /** `place` of the event whose predecessors are wanted; null, or nothing of ours: the newest. */
  before: string | null;
  limit: number;
}

export interface Audit {
  /** What happened to a user, the newest first. */
  history(db: Db, subject: string, wish: HistoryWish): Promise<PastEvent[]>;
  /** Writes all events with one statement, in the caller's transaction where there is one. */
  record(db: Db, at: Date, events: AuditEvent[]): Promise<void>;
  /** The same as a part of another statement of that transaction. */
  riders(db: Db, at: Date, events: AuditEvent[]): Rider[];
}
