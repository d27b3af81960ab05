/** Something that is done again and again until it is stopped. */
export interface Ticker {
  start(): void;
  /** Resolves when a run that was under way has ended. */
  stop(): Promise<void>;
}

/**
 * Runs `work`, waits `delayMs()`, and so on: runs never overlap, however slow the database is. `work` handles its own
 * errors. The timer does not keep the process alive.
 */
export function createTicker(work: () => Promise<void>, delayMs: () => number): Ticker {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = true;

  const next = () => {
    if (stopped) return;
    timer = setTimeout(() => {
      running = work().finally(next);
    }, delayMs());
    timer.unref();
  };

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      next();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
