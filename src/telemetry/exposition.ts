import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { BreakerState, MetricsDeps } from './metrics.ts';
import type { Tally } from './tallies.ts';

/** How long the other workers may take to answer. */
const WORKERS_TIMEOUT_MS = 6_000;

export interface Exposition {
  /** Adds this process's memory, CPU time and event loop. */
  observeProcess(): void;
  /** All metrics in the text format of Prometheus, over all workers. Throws when a worker does not answer. */
  text(): Promise<{ text: string; contentType: string }>;
}

/** What the tallies and the process say, in the form that is asked for. */
export function expose(
  tallies: readonly Tally[],
  deps: MetricsDeps & { breakers(): BreakerState[] },
): Exposition {
  const registry = new Registry();
  for (const tally of tallies) counter(registry, tally);
  gauges(registry, deps);
  breakerGauge(registry, deps.breakers);
  if (cluster.isWorker) {
    AggregatorRegistry.setRegistries(registry);
    // Made for its side effect: from now on this process answers when the primary asks for its numbers.
    new AggregatorRegistry();
  }
  return {
    observeProcess: () => collectDefaultMetrics({ register: registry }),
    text: async () => ({
      text: cluster.isWorker ? await askPrimary() : await registry.metrics(),
      contentType: registry.contentType,
    }),
  };
}

function counter(registry: Registry, { name, help, labelNames, counts }: Tally): void {
  new Counter({
    ...{ name, help, labelNames, registers: [registry] },
    collect() {
      this.reset();
      for (const { labels, n } of counts()) this.inc(labels, n);
    },
  });
}

function gauges(registry: Registry, { hashing, pool }: MetricsDeps): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `sallyport_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('password_hashes_running', 'Password hashes under way.', () => hashing().running);
  gauge('password_hashes_waiting', 'Password hashes that wait for their turn.', () => hashing().waiting);
  if (pool() === null) return;
  gauge('database_connections_open', 'Connections to the database.', () => pool()?.open ?? 0);
  gauge('database_connections_idle', 'Connections without work.', () => pool()?.idle ?? 0);
  gauge('database_connections_limit', 'Connections at most.', () => pool()?.size ?? 0);
  gauge('database_queries_waiting', 'Statements that wait for a connection.', () => pool()?.waiting ?? 0);
}

/** Known to all alike: of several workers the highest is told, not their sum. */
function breakerGauge(registry: Registry, read: () => BreakerState[]): void {
  new Gauge({
    name: 'sallyport_provider_open',
    help: 'Whether a provider is left alone because it has failed (1) or is asked (0).',
    ...{ labelNames: ['provider'], registers: [registry], aggregator: 'max' as const },
    collect() {
      this.reset();
      for (const { open, provider } of read()) this.set({ provider }, open ? 1 : 0);
    },
  });
}

const ASK = 'sallyport:metrics';

interface Answer {
  type: typeof ASK;
  id: number;
  text: string | null;
}

const asked = new Map<number, (answer: Answer) => void>();
let questions = 0;

/** A request reaches one worker only; the primary gathers the numbers of all of them. */
async function askPrimary(): Promise<string> {
  const id = ++questions;
  if (id === 1) {
    process.on('message', (message: Answer) => {
      if (message.type === ASK) asked.get(message.id)?.(message);
    });
  }
  const answer = new Promise<Answer>((resolve) => asked.set(id, resolve));
  process.send?.({ type: ASK, id });
  try {
    const { text } =
      (await Promise.race([answer, delay(WORKERS_TIMEOUT_MS, undefined, { ref: false })])) ?? {};
    if (typeof text !== 'string') throw new Error('not every worker told its metrics in time');
    return text;
  } finally {
    asked.delete(id);
  }
}

/** In the primary process: gathers the metrics of all workers whenever one of them asks. */
export function answerWorkers(): void {
  const aggregator = new AggregatorRegistry();
  cluster.on('message', (worker, message: { type?: string; id?: number }) => {
    if (message.type !== ASK) return;
    const answer = (text: string | null) => {
      if (worker.isConnected()) worker.send({ type: ASK, id: message.id, text });
    };
    aggregator.clusterMetrics().then(answer, () => answer(null));
  });
}
