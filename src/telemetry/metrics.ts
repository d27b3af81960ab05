import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What the gateway tells about its work; the same facts go into the audit record. */
export interface BusinessEvent {
  name: string;
  result?: string | null;
  data?: Record<string, string | number | boolean | null>;
}

export interface MetricsDeps {
  /** Password hashes under way and in line. */
  hashing(): { running: number; waiting: number };
  /** Connections to the database; null where there are none. */
  pool(): { open: number; idle: number; waiting: number; size: number } | null;
}

export interface Metrics {
  /** Counts an event; those that are no metric are passed over. */
  count(event: BusinessEvent): void;
  /** Adds this process's memory, CPU time and event loop. For a process that is a gateway and nothing else. */
  observeProcess(): void;
  /** All metrics in the text format of Prometheus, over all workers. Throws when a worker does not answer. */
  text(): Promise<string>;
  contentType: string;
}

/** How long the other workers may take to answer. */
const WORKERS_TIMEOUT_MS = 6_000;

/** Labels say how and where, never who: no user, number, code, address or id. */
export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry();
  const count = createCounting(registry);
  gauges(registry, deps);
  if (cluster.isWorker) {
    AggregatorRegistry.setRegistries(registry);
    // Made for its side effect: from now on this process answers when the primary asks for its numbers.
    new AggregatorRegistry();
  }
  return {
    count,
    observeProcess: () => collectDefaultMetrics({ register: registry }),
    text: () => (cluster.isWorker ? askPrimary() : registry.metrics()),
    contentType: registry.contentType,
  };
}

function createCounting(registry: Registry): Metrics['count'] {
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter({ name: `sallyport_${name}_total`, help, labelNames, registers: [registry] });
  const started = counter('logins_started', 'Sign-ins begun.', []);
  const finished = counter('logins_finished', 'Sign-ins ended, by result; ok is a user signed in.', [
    'result',
  ]);
  const steps = counter('login_steps', 'What became of the steps of sign-ins.', ['step', 'method', 'result']);
  const deliveries = counter('deliveries', 'Attempts to hand a message to a provider, by outcome.', [
    'provider',
    'channel',
    'outcome',
  ]);
  const word = (value: unknown): string => (typeof value === 'string' ? value : 'none');

  return ({ name, result, data }) => {
    const step = (outcome: string) =>
      steps.inc({ step: word(data?.step), method: word(data?.method), result: outcome });
    const [kind = '', outcome = ''] = name.split('.');
    if (name === 'login.started') started.inc();
    if (name === 'login.finished') finished.inc({ result: word(result) });
    if (name === 'login.abandoned') finished.inc({ result: 'abandoned' });
    if (name === 'login.locked') step('locked');
    if (name.startsWith('login.step.')) step(name.slice('login.step.'.length));
    if (kind === 'message' && outcome !== 'queued') {
      deliveries.inc({ provider: word(data?.provider), channel: word(data?.channel), outcome });
    }
  };
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
export function serveWorkerMetrics(): void {
  const aggregator = new AggregatorRegistry();
  cluster.on('message', (worker, message: { type?: string; id?: number }) => {
    if (message.type !== ASK) return;
    const answer = (text: string | null) => {
      if (worker.isConnected()) worker.send({ type: ASK, id: message.id, text });
    };
    aggregator.clusterMetrics().then(answer, () => answer(null));
  });
}
