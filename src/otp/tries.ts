import { type RawBuilder, sql } from 'kysely';
import type { KeptElsewhere } from '../delivery/types.ts';
import type { Rider } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';

/** How often one may try in one login, however many codes were sent. */
export const TRIES_PER_SCOPE = 10;

interface Trying {
  scope: string;
  /** Tries of each code. */
  attempts: number;
  /** Who else keeps the code of this id, as a value of a select. */
  kept(codeId: RawBuilder<string>): RawBuilder<KeptElsewhere | null>;
  /** Until when nothing may be tried at all, as a value of a select. */
  lock?: RawBuilder<Date | null> | undefined;
  /** What else counts a spent try, each answering its `total`. */
  counting?: ((spent: RawBuilder<boolean>) => Rider)[] | undefined;
}

/**
 * Spends a try if one is left and answers the live codes, all in one statement: of any number at the same moment no
 * more get `tries` than there are. `tries` is null when none was left or `lock` says until when nothing may be tried.
 *
 * Under concurrency the row of the challenge is checked again in its newest version; the live codes may be those of a
 * moment ago, which can only be stricter (an older code has a smaller `tries_before`), and `consume` looks again.
 */
export async function spendTry(
  db: Db,
  { scope, attempts, counting = [], kept, lock = sql`null::timestamptz` }: Trying,
) {
  const spent = sql<boolean>`exists (select from spent)`;
  const counts = counting.map((count, n) => sql`, ${sql.table(`count_${n}`)} as ${count(spent)}`);
  const totals = counting.map((_, n) => sql`(select total from ${sql.table(`count_${n}`)})`);
  const { rows } = await sql<SpentTry>`
    with lock as (select ${lock} as until), live as (
      select c.id, c.challenge_id, c.code_hash, c.tries_before, c.number, c.expires_at, ${kept(sql`c.id`)} as kept
      from otp_codes c join otp_challenges h on h.id = c.challenge_id
      where h.scope = ${scope} and c.killed_at is null and c.consumed_at is null
    ), spent as (
      update otp_challenges set tries = tries + 1
      where scope = ${scope} and tries < ${TRIES_PER_SCOPE}
        and tries < (select min(tries_before) from live) + ${attempts}::integer
        and (select until from lock) is null
      returning tries
    )${sql.join(counts, sql``)}
    select lock.until as "lockedUntil", live.challenge_id as "challengeId", spent.tries,
      live.tries_before as "triesBefore", live.id as "codeId", live.code_hash as hash, live.expires_at as "expiresAt",
      live.kept, array[${sql.join(totals)}]::integer[] as counts
    from lock left join live on true left join spent on true
    order by live.number`.execute(db);
  return {
    lockedUntil: rows[0]?.lockedUntil ?? null,
    live: rows.filter((row): row is SpentTry & LiveCode => row.codeId !== null),
  };
}

interface LiveCode {
  challengeId: string;
  triesBefore: number;
  codeId: string;
  hash: string;
  expiresAt: Date;
  kept: KeptElsewhere | null;
}

type SpentTry = { lockedUntil: Date | null; tries: number | null; counts: number[] } & (
  | LiveCode
  | Record<keyof LiveCode, null>
);

/** How many tries are left; `triesBefore` of the live codes. */
export function triesLeft(tries: number, triesBefore: number[], attempts: number): number {
  return Math.max(0, Math.min(attempts + Math.min(...triesBefore) - tries, TRIES_PER_SCOPE - tries));
}
