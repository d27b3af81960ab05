import { sql } from 'kysely';
import { after, type Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { createTicker, type Ticker } from '../lib/ticker.ts';
import type { Db, Sweep } from './types.ts';

/** Rows in one statement: short locks, and a login never waits behind a million expired rows. */
const BATCH = 1_000;
const PAUSE_MS = 60_000;

export interface Sweeper {
  register(...sweeps: Sweep[]): void;
  /** The tables whose rows come and go. */
  tables(): string[];
  sweepNow(now: Date): Promise<number>;
  ticker: Ticker;
}

/** Removes rows whose time is over. Instances that sweep at the same moment skip each other's rows. */
export function createSweeper(db: Db, clock: Clock, log: Logger): Sweeper {
  const sweeps: Sweep[] = [];

  async function sweepNow(now: Date): Promise<number> {
    let total = 0;
    for (const sweep of sweeps) total += await sweepTable(db, sweep, now);
    return total;
  }

  async function tick(): Promise<void> {
    try {
      const removed = await sweepNow(clock.now());
      if (removed > 0) log.debug({ removed }, 'removed expired rows');
    } catch (error) {
      log.warn({ err: error }, 'could not remove expired rows; trying again in a minute');
    }
  }

  return {
    register: (...more) => void sweeps.push(...more),
    tables: () => sweeps.map((sweep) => sweep.table),
    sweepNow,
    // Spread out, so that instances which were started together do not sweep together.
    ticker: createTicker(tick, () => PAUSE_MS * (0.75 + Math.random() / 2)),
  };
}

async function sweepTable(db: Db, sweep: Sweep, now: Date): Promise<number> {
  const { table, column = 'expires_at', keptMs = () => 0 } = sweep;
  const kept = keptMs();
  if (kept === null) return 0;
  const before = after(now, -kept);
  let total = 0;
  for (;;) {
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where ctid = any(array(
        select ctid from ${sql.table(table)} where ${sql.ref(column)} < ${before}
        limit ${sql.lit(BATCH)} for update skip locked
      ))`.execute(db);
    const removed = Number(numAffectedRows ?? 0n);
    total += removed;
    if (removed < BATCH) return total;
  }
}
