import type { PgBoss } from 'pg-boss';
import { after, type Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Engine } from './engine.ts';
import type { Jobs } from './types.ts';

/** A job of a worker that was killed is given to another after this time and at most a minute more. */
const EXPIRE_SECONDS = 120;
const COMPLAIN_MS = 60_000;

type Handler = () => Promise<void>;

interface Running {
  boss: PgBoss;
  close(): Promise<void>;
}

/** Work on a schedule. The library is loaded by `start()`, after the server is ready, and never by one-off commands. */
export function createJobs(engine: Engine, clock: Clock, log: Logger): Jobs {
  const handlers = new Map<string, Handler>();
  const schedules = new Map<string, string>();
  let running: Running | undefined;

  return {
    define(queue, handler) {
      if (running) throw new Error(`queue ${queue} is defined after the start`);
      handlers.set(queue, handler);
    },
    schedule: (queue, cron) => void schedules.set(queue, cron),
    async start() {
      if (running) return;
      const launched = await launch(engine, createComplaint(clock, log));
      const { boss } = launched;
      try {
        for (const [queue, handler] of handlers) await serve(boss, queue, handler, log);
        for (const [queue, cron] of schedules) await boss.schedule(queue, cron, null, { tz: 'UTC' });
      } catch (error) {
        await halt(launched, false);
        throw error;
      }
      running = launched;
    },
    async stop() {
      if (!running) return;
      const stopped = running;
      running = undefined;
      await halt(stopped, true);
    },
  };
}

async function launch(engine: Engine, complain: (error: Error) => void): Promise<Running> {
  const { PgBoss } = await import('pg-boss');
  const { db, backend, close } = await engine.jobs();
  const boss = new PgBoss({
    db,
    backend,
    // Nothing here depends on chains of jobs or on online index builds: look for them seldom.
    flowIntervalSeconds: 3_600,
    bamIntervalSeconds: 3_600,
    cronWorkerIntervalSeconds: 30,
  });
  boss.on('error', complain);
  const launched = { boss, close };
  try {
    await boss.start();
  } catch (error) {
    await halt(launched, false);
    throw error;
  }
  return launched;
}

/** A job under way has five seconds to end; what does not is given to another instance. */
async function halt({ boss, close }: Running, graceful: boolean): Promise<void> {
  await boss.stop({ graceful, timeout: 5_000 });
  await close();
}

/** With the database away the library fails every second or two; once a minute is enough to know. */
function createComplaint(clock: Clock, log: Logger): (error: Error) => void {
  let last: Date | undefined;
  return (error) => {
    const now = clock.now();
    if (last && now < after(last, COMPLAIN_MS)) return;
    last = now;
    log.warn({ err: error }, 'durable jobs: a database statement failed');
  };
}

async function serve(boss: PgBoss, queue: string, handler: Handler, log: Logger): Promise<void> {
  await boss.createQueue(queue, { expireInSeconds: EXPIRE_SECONDS, retryLimit: 5, retryBackoff: true });
  await boss.work(queue, async () => {
    try {
      await handler();
    } catch (error) {
      log.warn({ err: error, queue }, 'a job failed');
      throw error;
    }
  });
}
