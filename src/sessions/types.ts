import type { RawBuilder } from 'kysely';
import type { Guard, Rider, Slot } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { Device } from './device.ts';

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
  /** The longest time without any use since the last factor was added; what passes now comes on top. */
  longestGapSeconds: number;
  expiresAt: Date;
  ip: string | null;
  userAgent: string | null;
}

/** A session that was live until now. */
export interface EndedSession {
  id: string;
  userId: string;
  /** Apps that signed their user in with it, each with the name (`sid`) by which it knows the session. */
  apps: Record<string, string | undefined>;
}

/** What a login knows of the session that it begins. */
export interface SessionStart extends Pick<Session, 'userId' | 'factors' | 'ip' | 'userAgent'> {
  /** Where the request came from (ISO 3166), if a proxy said it. */
  country?: string | null;
}

/** A session as its owner sees it. */
export interface ListedSession extends Session {
  device: Device;
  /** Where it began (ISO 3166), if that was known. */
  country: string | null;
}

export interface Sessions {
  /** By the cookie's value; nothing when revoked, idle too long or expired. One indexed read, never cached. */
  findByCookie(db: Db, cookie: string, now: Date): Promise<Session | undefined>;
  find(db: Db, id: string, now: Date): Promise<Session | undefined>;
  /** The live sessions of a user, the one used last first. */
  list(db: Db, userId: string, now: Date): Promise<ListedSession[]>;
  create(tx: Tx, session: SessionStart, now: Date): Promise<Session>;
  /** The session as {@link create} makes it, written by a part of another statement. */
  draft(db: Db, session: SessionStart, now: Date): { session: Session; rider: Rider };
  /**
   * A login of the same user added factors: they replace older ones of the same method. The cookie ends at once; the
   * surface that the login was for gives out a new one. Nothing when the session has ended meanwhile.
   */
  strengthen(tx: Tx, id: string, factors: Factor[], now: Date): Promise<Session | undefined>;
  revoke(tx: Tx, id: string, reason: string, now: Date): Promise<void>;
  revokeAll(tx: Tx, userId: string, reason: string, now: Date, exceptId?: string): Promise<number>;
}

/** That a step of an application's flow was really passed in a browser. */
export interface StepPass {
  app: string;
  flow: string;
  step: string;
  /** The method by which it was passed last. */
  method: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** When the user last wished to go without from then on; null: never. */
  rememberedAt: number | null;
}

/** A browser in which a user has passed steps, as its cookie says. */
export interface FoundDevice {
  id: string;
  /** An old value of the cookie came back: somebody has a copy. Nothing of it counts, and it is to be revoked. */
  copied: boolean;
  /** Which value of the cookie comes next. */
  next: number;
  passes: StepPass[];
}

/** A remembered device as its owner sees it. */
export interface ListedDevice {
  id: string;
  device: Device;
  ip: string | null;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
  passes: StepPass[];
}

/** A live device as it comes within another row: as JSON. */
export interface NamedDevice {
  id: string;
  userId: string;
  generation: number;
  rotatedAt: string;
  /** By `<app>/<flow>/<step>`. */
  passes: Record<string, StepPass>;
}

/** Browsers that are known to have passed steps. What that excuses is decided by flows. */
export interface Devices {
  /** By the cookie's value. One indexed read, and none when no part of the cookie is the user's. Changes nothing. */
  find(
    db: Db,
    cookie: string | undefined,
    userId: string,
    now: Date,
    /** The live ones that the cookie names, where they were read before: then nothing is read. */
    named?: NamedDevice[],
  ): Promise<FoundDevice | null>;
  /** The ids in the cookie, true or not. */
  namedBy(cookie: string | undefined): string[];
  /** The live devices of these ids, whosever they are, as a value of a select; null: none. */
  joined(ids: Slot<string[]>, now: Slot<Date>): RawBuilder<NamedDevice[] | null>;
  /**
   * That the device is used now and what was passed: to be written with the login that uses it. `cookie`: its next
   * value. `device` null: a new one. The guard finds no row when the device has been revoked since it was found: then
   * nothing that it excused may come true.
   */
  using(
    db: Db,
    use: {
      userId: string;
      device: FoundDevice | null;
      /** The value that the browser has now. */
      cookie: string | undefined;
      passes: StepPass[];
      ip: string;
      userAgent: string | null;
    },
    now: Date,
  ): { id: string; cookie: string; guards: Guard[]; riders: Rider[] };
  /** Which of the user's devices this browser is; reads nothing. */
  idOf(cookie: string | undefined, userId: string): string | null;
  /** The one used last first. */
  list(db: Db, userId: string, now: Date): Promise<ListedDevice[]>;
  /** False when the user has no such device. Takes effect with the next request. */
  revoke(tx: Tx, userId: string, id: string, reason: string, now: Date): Promise<boolean>;
  /** Answers how many there were. */
  revokeAll(tx: Tx, userId: string, reason: string, now: Date, exceptId?: string): Promise<number>;
}
