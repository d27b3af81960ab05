import { sql } from 'kysely';
import { drawn, type Guard, type Rider, type Slots } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import { TRIES_PER_SCOPE } from './tries.ts';

interface ChallengesTable {
  id: string;
  scope: string;
  user_id: string | null;
  /** Reserved so far; never starts anew. */
  tries: number;
  sends: number;
  last_sent_at: Date | null;
  created_at: Date;
  expires_at: Date;
}

interface CodesTable {
  id: string;
  challenge_id: string;
  /** 1 for the first of its challenge. */
  number: number;
  /**
   * The challenge's tries when this code was made. The tries that count are those since the oldest live code was
   * made: two live codes share them, and they start anew when the older one dies.
   */
  tries_before: number;
  code_hash: string;
  /** `pending` (perhaps for ever: outcome unknown), `accepted` or `undelivered`. */
  delivery: string;
  created_at: Date;
  expires_at: Date;
  killed_at: Date | null;
  consumed_at: Date | null;
}

declare module '../storage/types.ts' {
  interface Database {
    otp_challenges: ChallengesTable;
    otp_codes: CodesTable;
  }
}

export interface SendAttempt {
  id: string;
  scope: string;
  userId: string | null;
  maxSends: number;
  /** A send at or before this moment is long enough ago. */
  sentBefore: Date;
  now: Date;
  expiresAt: Date;
}

interface First {
  challengeId: string;
  scope: string;
  userId: string | null;
  now: Date;
  expiresAt: Date;
}

const insertingChallenge = drawn((db, slots: Slots<First>) =>
  db
    .insertInto('otp_challenges')
    .values({
      ...{ id: slots.challengeId, scope: slots.scope, user_id: slots.userId, tries: 0, sends: 1 },
      ...{ last_sent_at: slots.now, created_at: slots.now, expires_at: slots.expiresAt },
    })
    .onConflict((conflict) => conflict.column('scope').doNothing())
    .returning('id'),
);

const insertingCode = drawn(
  (db, slots: Slots<{ id: string; challengeId: string; hash: string; now: Date; expiresAt: Date }>) =>
    db.insertInto('otp_codes').values({
      ...{ id: slots.id, challenge_id: slots.challengeId, number: 1, tries_before: 0 },
      ...{ code_hash: slots.hash, delivery: 'pending', created_at: slots.now, expires_at: slots.expiresAt },
    }),
);

/**
 * A challenge with its first code. The guard finds no row when the scope has a challenge: then {@link countSend} and
 * {@link insertCode} decide.
 */
export function insertingFirst(
  { id: challengeId, ...send }: SendAttempt,
  code: Pick<NewCode, 'id' | 'hash' | 'expiresAt'>,
): { guard: Guard; riders: Rider[] } {
  return {
    guard: insertingChallenge({ ...send, challengeId }),
    riders: [insertingCode({ ...code, challengeId, now: send.now })],
  };
}

/** Counts a send, or changes nothing when one is not due. Holds the challenge's row for the transaction. */
export function countSend(tx: Tx, send: SendAttempt) {
  return tx
    .insertInto('otp_challenges')
    .values({
      id: send.id,
      scope: send.scope,
      user_id: send.userId,
      tries: 0,
      sends: 1,
      last_sent_at: send.now,
      created_at: send.now,
      expires_at: send.expiresAt,
    })
    .onConflict((conflict) =>
      conflict
        .column('scope')
        .doUpdateSet({
          sends: sql`otp_challenges.sends + 1`,
          last_sent_at: send.now,
          expires_at: send.expiresAt,
        })
        .where('otp_challenges.sends', '<', send.maxSends)
        .where('otp_challenges.tries', '<', TRIES_PER_SCOPE)
        .where((where) =>
          where.or([
            where('otp_challenges.last_sent_at', 'is', null),
            where('otp_challenges.last_sent_at', '<=', send.sentBefore),
          ]),
        ),
    )
    .returning(['id', 'sends', 'tries'])
    .executeTakeFirst();
}

/** True when no further message may go out in this scope, however long one waits. */
export async function sendState(db: Db, scope: string, maxSends: number) {
  const row = await db
    .selectFrom('otp_challenges')
    .select(['sends', 'tries', 'last_sent_at'])
    .where('scope', '=', scope)
    .executeTakeFirst();
  return {
    spent: !row || row.sends >= maxSends || row.tries >= TRIES_PER_SCOPE,
    lastSentAt: row?.last_sent_at ?? null,
  };
}

export interface NewCode {
  id: string;
  challenge: { id: string; sends: number; tries: number };
  hash: string;
  attempts: number;
  now: Date;
  expiresAt: Date;
}

/**
 * Adds a code, and removes older ones that can no longer be passed (run out, or no try left): they would only use up
 * the tries of the new one.
 */
export async function insertCode(tx: Tx, code: NewCode): Promise<void> {
  await tx
    .with('removed', (removed) =>
      removed
        .updateTable('otp_codes')
        .set({ killed_at: code.now })
        .where('challenge_id', '=', code.challenge.id)
        .where('killed_at', 'is', null)
        .where((where) =>
          where.or([
            where('expires_at', '<=', code.now),
            where('tries_before', '<=', code.challenge.tries - code.attempts),
          ]),
        ),
    )
    .insertInto('otp_codes')
    .values({
      id: code.id,
      challenge_id: code.challenge.id,
      number: code.challenge.sends,
      tries_before: code.challenge.tries,
      code_hash: code.hash,
      delivery: 'pending',
      created_at: code.now,
      expires_at: code.expiresAt,
      killed_at: null,
      consumed_at: null,
    })
    .execute();
}

/** The challenge of a scope with its live codes, newest first; no row when there is none. */
export function liveCodes(db: Db, scope: string) {
  return db
    .selectFrom('otp_challenges')
    .leftJoin('otp_codes', (join) =>
      join
        .onRef('otp_codes.challenge_id', '=', 'otp_challenges.id')
        .on('otp_codes.killed_at', 'is', null)
        .on('otp_codes.consumed_at', 'is', null),
    )
    .select([
      'otp_challenges.id',
      'otp_challenges.tries',
      'otp_challenges.sends',
      'otp_challenges.last_sent_at as lastSentAt',
      'otp_codes.id as codeId',
      'otp_codes.tries_before as triesBefore',
      'otp_codes.expires_at as codeExpiresAt',
    ])
    .where('otp_challenges.scope', '=', scope)
    .orderBy('otp_codes.number', 'desc')
    .execute();
}

const takingAsAccepted = drawn(
  (_db, slots: Slots<{ codeId: string; now: Date }>) => sql`
    with accepted as (
      select c.challenge_id, c.number from otp_codes c join otp_challenges h on h.id = c.challenge_id
      where c.id = ${slots.codeId} and c.delivery = 'pending' and c.killed_at is null
      for update of h
    )
    update otp_codes set
      delivery = case when otp_codes.number = accepted.number then 'accepted' else delivery end,
      killed_at = case when otp_codes.number < accepted.number then ${slots.now}::timestamptz else killed_at end
    from accepted
    where otp_codes.challenge_id = accepted.challenge_id and otp_codes.number <= accepted.number
      and killed_at is null`,
);

/** Marks a code's message as accepted and kills the older codes. The challenge's row is held first, as everywhere. */
export const accepting = (codeId: string, now: Date): Rider => takingAsAccepted({ codeId, now });

/** Kills a code whose message surely never went out. */
export const dropping = (db: Db, codeId: string, now: Date): Rider =>
  db
    .updateTable('otp_codes')
    .set({ delivery: 'undelivered', killed_at: now })
    .where('id', '=', codeId)
    .where('delivery', '=', 'pending')
    .where('killed_at', 'is', null)
    .where('consumed_at', 'is', null);

/**
 * Kills what is alive of a user's codes. One that is being used at this very moment came first; waiting for it here could
 * hold up both.
 */
export const killingAll = (_db: Db, userId: string, now: Date): Rider => sql`(
    with challenges as (
      select id from otp_challenges where user_id = ${userId} for update skip locked
    )
    update otp_codes set killed_at = ${now}::timestamptz from challenges
    where otp_codes.challenge_id = challenges.id and consumed_at is null and killed_at is null)`;

const using = drawn(
  (_db, slots: Slots<{ codeId: string; now: Date }>) => sql`
    with challenge as (
      select h.id from otp_challenges h join otp_codes c on c.challenge_id = h.id
      where c.id = ${slots.codeId} for update of h
    )
    update otp_codes set consumed_at = ${slots.now}::timestamptz from challenge
    where otp_codes.id = ${slots.codeId} and otp_codes.challenge_id = challenge.id
      and consumed_at is null and killed_at is null and otp_codes.expires_at > ${slots.now}::timestamptz
    returning otp_codes.id`,
);

const killingSiblings = drawn((db, slots: Slots<{ codeId: string; now: Date }>) =>
  db
    .updateTable('otp_codes')
    .set({ killed_at: slots.now })
    .where('challenge_id', '=', (where) =>
      where.selectFrom('otp_codes as used').select('used.challenge_id').where('used.id', '=', slots.codeId),
    )
    .where('id', '<>', slots.codeId)
    .where('consumed_at', 'is', null)
    .where('killed_at', 'is', null),
);

/**
 * Uses up a code, once; its siblings die with it. Holds the challenge's row first: of two siblings at once the second
 * waits there, and then finds itself dead.
 */
export const consuming = (_db: Db, codeId: string, now: Date): { guard: Guard; riders: Rider[] } => ({
  guard: using({ codeId, now }),
  riders: [killingSiblings({ codeId, now })],
});
