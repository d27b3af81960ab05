import type { Db, Tx } from '../storage/types.ts';

export type MethodKind = 'identify' | 'knowledge' | 'possession' | 'inherence' | 'recovery';

/** A factor that was really performed. */
export interface Factor {
  method: string;
  kind: MethodKind;
  /** RFC 8176 values it adds. */
  amr: string[];
  /** Milliseconds since the epoch. */
  at: number;
}

/** Who is logged in, in one browser. `id` is a public handle (`sid`); the secret is the cookie, kept only as a hash. */
export interface Session {
  id: string;
  userId: string;
  factors: Factor[];
  authTime: Date;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  ip: string | null;
  userAgent: string | null;
}

export interface Sessions {
  /** By the cookie's value; nothing when revoked, idle too long or expired. One indexed read, never cached. */
  findByCookie(db: Db, cookie: string, now: Date): Promise<Session | undefined>;
  find(db: Db, id: string, now: Date): Promise<Session | undefined>;
  create(
    tx: Tx,
    session: { userId: string; factors: Factor[]; ip: string | null; userAgent: string | null },
    now: Date,
  ): Promise<Session>;
  /**
   * A login of the same user added factors: they replace older ones of the same method. The cookie ends at once; the
   * surface that the login was for gives out a new one. Nothing when the session has ended meanwhile.
   */
  strengthen(tx: Tx, id: string, factors: Factor[], now: Date): Promise<Session | undefined>;
  revoke(tx: Tx, id: string, reason: string, now: Date): Promise<void>;
  revokeAll(tx: Tx, userId: string, reason: string, now: Date, exceptId?: string): Promise<number>;
}
