import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from './config/types.ts';
import { Problem } from './lib/problem.ts';
import { createLog, type Logger, serveWorkerMetrics } from './telemetry/index.ts';

const firstWaitMs = 500;
const longestWaitMs = 30_000;
/** A worker that lived so long did not die of how it was started. */
const soundAfterMs = 60_000;

/**
 * Runs `environment.workers` gateways on one port until the process is told to stop, and replaces those that die,
 * ever more slowly when they keep dying. Throws when a worker ends before all of them were ready once: what is wrong
 * then, it has said itself, and another try would say the same.
 */
export async function superviseWorkers(environment: Environment): Promise<void> {
  const log = createLog({ level: environment.logLevel });
  const metrics = serveWorkerMetrics();
  const supervisor = { log, stopping: false, waitMs: firstWaitMs };
  stopOnSignals(supervisor);
  const workers = Array.from({ length: environment.workers }, () => cluster.fork());
  const refused = new AbortController();
  try {
    await Promise.race([
      Promise.all(workers.map((worker) => once(worker, 'listening', { signal: refused.signal }))),
      ...workers.map((worker) =>
        once(worker, 'exit', { signal: refused.signal }).then(() => supervisor.stopping || failStart()),
      ),
    ]);
  } finally {
    refused.abort();
  }
  await metrics;
  log.info({ workers: workers.length }, 'all workers are ready');
  for (const worker of workers) keep(supervisor, worker);
}

function failStart(): never {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
  const message = 'A worker ended while it was starting; what it said stands above.';
  throw new Problem({ status: 500, code: 'start_failed', message });
}

interface Supervisor {
  log: Logger;
  stopping: boolean;
  waitMs: number;
}

function keep(supervisor: Supervisor, worker: Worker): void {
  const born = performance.now();
  worker.once('exit', async (exitCode, signal) => {
    if (supervisor.stopping) return;
    if (performance.now() - born > soundAfterMs) supervisor.waitMs = firstWaitMs;
    const { waitMs } = supervisor;
    supervisor.waitMs = Math.min(waitMs * 2, longestWaitMs);
    supervisor.log.error(
      { worker: worker.process.pid, exitCode, signal, waitMs },
      'a worker ended; another takes its place',
    );
    await delay(waitMs);
    if (!supervisor.stopping) keep(supervisor, cluster.fork());
  });
}

function stopOnSignals(supervisor: Supervisor): void {
  const living = () => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  const stop = async (signal: NodeJS.Signals) => {
    const again = supervisor.stopping;
    supervisor.stopping = true;
    if (again) {
      for (const worker of living()) worker.process.kill('SIGKILL');
      process.exit(1);
    }
    supervisor.log.info({ signal }, 'stopping all workers');
    const ends = living().map(async (worker) => {
      const ended = once(worker, 'exit');
      // Workers take a signal once: it may have reached the whole group already.
      worker.process.kill('SIGTERM');
      const [exitCode, signal] = await ended;
      // A signal to the whole group ends one that is still starting: it had nothing under way.
      return exitCode === 0 || signal === 'SIGTERM' || signal === 'SIGINT';
    });
    process.exit((await Promise.all(ends)).every(Boolean) ? 0 : 1);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, (name) => void stop(name));
}
