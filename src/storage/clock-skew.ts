import { sql } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { ClockSkew } from './errors.ts';
import type { Db } from './types.ts';

const WARN_MS = 2_000;
const REFUSE_MS = 30_000;

/** How far our clock is ahead of the database's, in milliseconds; half the way there and back is allowed for. */
export async function clockSkewMs(db: Db, clock: Clock): Promise<number> {
  const before = clock.now().getTime();
  const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(db);
  const middle = (before + clock.now().getTime()) / 2;
  return middle - (rows[0]?.at.getTime() ?? middle);
}

/**
 * For the start of a server: all instances compare times that others have written, by their own clocks. Warns from two
 * seconds of difference on and throws {@link ClockSkew} from thirty.
 */
export async function checkClock(db: Db, clock: Clock, log: Logger): Promise<void> {
  const skewMs = await clockSkewMs(db, clock);
  if (Math.abs(skewMs) >= REFUSE_MS) throw new ClockSkew(skewMs);
  if (Math.abs(skewMs) >= WARN_MS) {
    log.warn({ skewMs: Math.round(skewMs) }, "this machine's clock and the database's differ");
  }
}
