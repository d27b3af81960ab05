import { sql } from 'kysely';
import type { Logger } from '../lib/log.ts';
import { createTicker, type Ticker } from '../lib/ticker.ts';
import type { Db, Revisions } from './types.ts';

const POLL_MS = 1_000;

/** One small query a second tells this process what any other has changed, without a connection that must stay open. */
export function createRevisions(db: Db, log: Logger): { revisions: Revisions; ticker: Ticker } {
  const seen = new Map<string, number>();
  const watchers = new Map<string, Set<() => void>>();
  let failing = false;

  async function refresh(): Promise<void> {
    const rows = await db.selectFrom('revisions').select(['topic', 'n']).execute();
    for (const { topic, n } of rows) {
      // Two looks may overlap, and the older answer may come last.
      if (n <= (seen.get(topic) ?? 0)) continue;
      seen.set(topic, n);
      for (const onChange of watchers.get(topic) ?? []) tell(topic, onChange);
    }
  }

  function tell(topic: string, onChange: () => void): void {
    try {
      onChange();
    } catch (error) {
      log.error({ err: error, topic }, 'a watcher of changes failed');
    }
  }

  async function poll(): Promise<void> {
    try {
      await refresh();
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'cannot look for changes in the database; trying on');
      failing = true;
    }
  }

  const revisions: Revisions = {
    async bump(handle, topic) {
      await handle
        .insertInto('revisions')
        .values({ topic, n: 1 })
        .onConflict((conflict) => conflict.column('topic').doUpdateSet({ n: sql`revisions.n + 1` }))
        .execute();
    },
    current: (topic) => seen.get(topic) ?? 0,
    watch(topic, onChange) {
      const set = watchers.get(topic) ?? new Set();
      watchers.set(topic, set.add(onChange));
      return () => set.delete(onChange);
    },
    refresh,
  };
  return { revisions, ticker: createTicker(poll, () => POLL_MS) };
}
