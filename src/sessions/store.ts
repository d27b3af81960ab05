import { type Generated, sql } from 'kysely';
import { after } from '../lib/clock.ts';
import { drawn, type Guard, json, type Rider, type Slot, type Slots } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { EndedSession, Factor, Session } from './types.ts';

interface SessionsTable {
  id: string;
  /** SHA-256 of the cookie's value; null until a surface has given one out. */
  cookie_hash: string | null;
  user_id: string;
  factors: Factor[];
  /** What the OpenID provider keeps of the session. Never the cookie's value. */
  oidc: Record<string, unknown> | null;
  auth_time: Date;
  ip: string | null;
  user_agent: string | null;
  /** ISO 3166. */
  country: string | null;
  created_at: Date;
  last_seen_at: Date;
  /** The longest time without any use since the last factor was added. */
  longest_gap_seconds: Generated<number>;
  /** Always `last_seen_at` and the idle time that held when the session began. */
  idle_expires_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  revoked_reason: string | null;
}

declare module '../storage/types.ts' {
  interface Database {
    sessions: SessionsTable;
  }
}

/** A session with what the OpenID provider keeps of it. */
export interface OidcSession {
  session: Session;
  oidc: Record<string, unknown> | null;
}

/** How long a session may be in use without a note of it. */
const TOUCH_AFTER_MS = 60_000;

const columns = [
  'id',
  'user_id as userId',
  'factors',
  'auth_time as authTime',
  'created_at as createdAt',
  'last_seen_at as lastSeenAt',
  'longest_gap_seconds as longestGapSeconds',
  'expires_at as expiresAt',
  'ip',
  'user_agent as userAgent',
] as const;

/** The idle time of the row, counted from now on. */
const idleFrom = (now: Date | Slot<Date>) =>
  sql<Date>`${now}::timestamptz + (idle_expires_at - last_seen_at)`;

/** That it is used now, after a while in which it was not. */
const usedAt = (now: Date | Slot<Date>) => ({
  last_seen_at: now,
  idle_expires_at: idleFrom(now),
  longest_gap_seconds: sql<number>`greatest(longest_gap_seconds,
    floor(extract(epoch from ${now}::timestamptz - last_seen_at))::integer)`,
});

const reading = (by: 'id' | 'cookie_hash') =>
  drawn((db, slots: Slots<{ key: string; now: Date }>) =>
    db
      .selectFrom('sessions')
      .select([...columns, 'oidc'])
      .where(by, '=', slots.key)
      .where('revoked_at', 'is', null)
      .where('idle_expires_at', '>', slots.now)
      .where('expires_at', '>', slots.now),
  );

const readings = { id: reading('id'), cookie_hash: reading('cookie_hash') };

/** One indexed read; nothing when the session was revoked, was idle too long, or has run out. */
async function readLive(
  db: Db,
  by: 'id' | 'cookie_hash',
  key: string,
  now: Date,
): Promise<OidcSession | undefined> {
  const row = await readings[by].first(db, { key, now });
  if (!row) return undefined;
  const { oidc, ...session } = row;
  return { session, oidc };
}

/**
 * By the SHA-256 of the cookie's value. This is the session being used, so it lives on; a session in use is written to
 * at most once a minute for that.
 */
export async function readByCookie(db: Db, cookieHash: string, now: Date): Promise<OidcSession | undefined> {
  const found = await readLive(db, 'cookie_hash', cookieHash, now);
  const seenBefore = after(now, -TOUCH_AFTER_MS);
  if (found && found.session.lastSeenAt <= seenBefore) await touch(db, found.session.id, seenBefore, now);
  return found;
}

/** By the public id. Asking by it, as for a token of the session, is no use of the session. */
export const readById = (db: Db, id: string, now: Date) => readLive(db, 'id', id, now);

/** As PostgreSQL writes it as JSON: moments are texts. */
export type JoinedSession = Omit<Session, 'authTime' | 'createdAt' | 'lastSeenAt' | 'expiresAt'> &
  Record<'authTime' | 'createdAt' | 'lastSeenAt' | 'expiresAt', string> &
  Pick<OidcSession, 'oidc'>;

/**
 * The live session whose id stands in a column of the statement at hand, as one value of it: read at the same moment and
 * without a statement more. For {@link readJoined}.
 */
export const joinedSession = (column: string, now: Date | Slot<Date>) =>
  sql<JoinedSession | null>`(select to_jsonb(found) from (
    select id, user_id as "userId", factors, auth_time as "authTime", created_at as "createdAt",
      last_seen_at as "lastSeenAt", longest_gap_seconds as "longestGapSeconds", expires_at as "expiresAt",
      ip, user_agent as "userAgent", oidc
    from sessions where id = ${sql.ref(column)} and revoked_at is null
      and idle_expires_at > ${now}::timestamptz and expires_at > ${now}::timestamptz) found)`;

export function readJoined(row: JoinedSession | null): OidcSession | undefined {
  if (row === null) return undefined;
  const { oidc, ...session } = row;
  const moments = {
    authTime: new Date(row.authTime),
    createdAt: new Date(row.createdAt),
    lastSeenAt: new Date(row.lastSeenAt),
    expiresAt: new Date(row.expiresAt),
  };
  return { session: { ...session, ...moments }, oidc };
}

/** Notes that the session is in use, unless somebody has since `seenBefore`. */
async function touch(db: Db, id: string, seenBefore: Date, now: Date): Promise<void> {
  await db
    .updateTable('sessions')
    .set(usedAt(now))
    .where('id', '=', id)
    .where('last_seen_at', '<=', seenBefore)
    .where('revoked_at', 'is', null)
    .execute();
}

const saving = drawn(
  (
    db,
    slots: Slots<{
      id: string;
      cookieHash: string;
      rest: Record<string, unknown>;
      authorizations: unknown;
      now: Date;
    }>,
  ) =>
    db
      .updateTable('sessions')
      .set({
        cookie_hash: slots.cookieHash,
        oidc: sql`${json(slots.rest)} || jsonb_build_object('authorizations',
        jsonb_strip_nulls(coalesce(oidc -> 'authorizations', '{}') || ${json(slots.authorizations)}))`,
        ...usedAt(slots.now),
      })
      .where('id', '=', slots.id)
      .where('revoked_at', 'is', null)
      .where('idle_expires_at', '>', slots.now)
      .where('expires_at', '>', slots.now)
      .returning('id'),
);

/**
 * Saves what the OpenID provider keeps, the cookie that the session goes by from now on, and that it is in use.
 * `authorizations` (by application) is merged with what parallel tabs saved meanwhile: a member given as null is taken
 * away. Finds no row when the session is gone: then nothing may be issued for it.
 */
export function savingOidc(
  _db: Db,
  sessionId: string,
  save: { cookieHash: string; payload: Record<string, unknown> },
  now: Date,
): Guard {
  const { authorizations = {}, ...rest } = save.payload;
  return saving({ id: sessionId, cookieHash: save.cookieHash, rest, authorizations, now });
}

/** All live sessions of a user, the one used last first. */
export function listLive(
  db: Db,
  userId: string,
  now: Date,
): Promise<(Session & { country: string | null })[]> {
  return db
    .selectFrom('sessions')
    .select([...columns, 'country'])
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('idle_expires_at', '>', now)
    .where('expires_at', '>', now)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id')
    .execute();
}

export interface NewSession {
  id: string;
  userId: string;
  factors: Factor[];
  ip: string | null;
  userAgent: string | null;
  country: string | null;
  idleExpiresAt: Date;
  expiresAt: Date;
}

const inserting = drawn((db, slots: Slots<NewSession & { now: Date }>) =>
  db.insertInto('sessions').values({
    id: slots.id,
    cookie_hash: null,
    user_id: slots.userId,
    factors: json(slots.factors),
    oidc: null,
    auth_time: slots.now,
    ip: slots.ip,
    user_agent: slots.userAgent,
    country: slots.country,
    created_at: slots.now,
    last_seen_at: slots.now,
    idle_expires_at: slots.idleExpiresAt,
    expires_at: slots.expiresAt,
    revoked_at: null,
    revoked_reason: null,
  }),
);

/** Writes a new session. */
export const insertSession = (session: NewSession, now: Date): Rider => inserting({ ...session, now });

/**
 * Adds factors in the order given; one of the same method gives way. Parallel logins lose none of each other's. The
 * cookie of before ends with this very statement: whoever else holds its value must not rise with the session.
 */
export function addFactors(tx: Tx, id: string, factors: Factor[], now: Date): Promise<Session | undefined> {
  const added = json(factors);
  return tx
    .updateTable('sessions')
    .set({
      factors: sql<Factor[]>`(
        select coalesce(jsonb_agg(had.factor order by had.place), '[]')
        from jsonb_array_elements(factors) with ordinality had(factor, place)
        where not ${added} @> jsonb_build_array(jsonb_build_object('method', had.factor -> 'method'))
      ) || ${added}`,
      cookie_hash: null,
      auth_time: now,
      last_seen_at: now,
      idle_expires_at: idleFrom(now),
      longest_gap_seconds: 0,
    })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .where('idle_expires_at', '>', now)
    .where('expires_at', '>', now)
    .returning(columns)
    .executeTakeFirst();
}

/** Ends one session, or all of a user but one. Answers those that were live until now. */
export async function endSessions(
  tx: Tx,
  which: { id: string } | { userId: string; exceptId: string | undefined },
  reason: string,
  now: Date,
): Promise<EndedSession[]> {
  let ending = tx
    .updateTable('sessions')
    .set({ revoked_at: now, revoked_reason: reason, cookie_hash: null })
    .where('revoked_at', 'is', null);
  if ('id' in which) ending = ending.where('id', '=', which.id);
  else {
    ending = ending.where('user_id', '=', which.userId);
    if (which.exceptId !== undefined) ending = ending.where('id', '<>', which.exceptId);
  }
  const ended = await ending.returning(['id', 'user_id as userId', 'oidc']).execute();
  return ended.map(({ id, userId, oidc }) => ({ id, userId, apps: appsOf(oidc) }));
}

function appsOf(oidc: Record<string, unknown> | null): EndedSession['apps'] {
  const authorizations = (oidc?.authorizations ?? {}) as Record<string, { sid?: string } | null>;
  return Object.fromEntries(Object.entries(authorizations).map(([app, kept]) => [app, kept?.sid]));
}
