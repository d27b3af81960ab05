import cluster from 'node:cluster';
import type { Exposition } from './exposition.ts';
import { createTally, type Tally } from './tallies.ts';

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

/** Whether a provider is left alone, because it has failed. */
export interface BreakerState {
  provider: string;
  open: boolean;
}

export interface Metrics {
  /** Counts an event; those that are no metric are passed over. */
  count(event: BusinessEvent): void;
  /** Where to read which providers are left alone. */
  observeBreakers(read: () => BreakerState[]): void;
  /** Adds this process's memory, CPU time and event loop. For a process that is a gateway and nothing else. */
  observeProcess(): Promise<void>;
  /** All metrics in the text format of Prometheus, over all workers. Throws when a worker does not answer. */
  text(): Promise<{ text: string; contentType: string }>;
}

/**
 * Labels say how and where, never who: no user, number, code, address or id. Counting needs nothing; the library that
 * tells the numbers is loaded when they are asked for, and in a worker once it runs, for others are asked too.
 */
export function createMetrics(deps: MetricsDeps): Metrics {
  const { tallies, count } = createCounting();
  let exposition: Promise<Exposition> | undefined;
  let toObserve = false;
  let breakers: () => BreakerState[] = () => [];
  const open = async () => {
    exposition ??= import('./exposition.ts').then(({ expose }) =>
      expose(tallies, { ...deps, breakers: () => breakers() }),
    );
    const opened = await exposition;
    if (toObserve) opened.observeProcess();
    toObserve = false;
    return opened;
  };
  return {
    count,
    observeBreakers(read) {
      breakers = read;
    },
    async observeProcess() {
      toObserve = true;
      if (cluster.isWorker) await open();
    },
    text: async () => (await open()).text(),
  };
}

function createCounting(): { tallies: Tally[]; count: Metrics['count'] } {
  const started = createTally('sallyport_logins_started_total', 'Sign-ins begun.');
  const finished = createTally(
    'sallyport_logins_finished_total',
    'Sign-ins ended, by result; ok is a user signed in.',
    ['result'],
  );
  const steps = createTally('sallyport_login_steps_total', 'What became of the steps of sign-ins.', [
    'step',
    'method',
    'result',
  ]);
  const deliveries = createTally(
    'sallyport_deliveries_total',
    'Attempts to hand a message to a provider, by outcome.',
    ['provider', 'channel', 'outcome'],
  );
  const decisions = createTally(
    'sallyport_send_decisions_total',
    'What the guard decided about messages, by rule and action; rule none is every rule saying yes.',
    ['rule', 'action'],
  );
  const receipts = createTally(
    'sallyport_receipts_total',
    'What gateways reported afterwards, and people wrote back; forged, unknown and replayed ones changed nothing.',
    ['provider', 'result'],
  );
  const breakers = createTally(
    'sallyport_provider_changes_total',
    'How often a provider was opened (left alone, because it failed) and closed again.',
    ['provider', 'state'],
  );
  const word = (value: unknown): string => (typeof value === 'string' ? value : 'none');

  const count: Metrics['count'] = ({ name, result, data }) => {
    const step = (outcome: string) =>
      steps.add({ step: word(data?.step), method: word(data?.method), result: outcome });
    const [kind = '', outcome = ''] = name.split('.');
    if (name === 'login.started') started.add();
    if (name === 'login.finished') finished.add({ result: word(result) });
    if (name === 'login.abandoned') finished.add({ result: 'abandoned' });
    if (name === 'login.locked') step('locked');
    if (name.startsWith('login.step.')) step(name.slice('login.step.'.length));
    if (name === 'guard.decided') decisions.add({ rule: word(data?.rule), action: word(data?.action) });
    if (kind === 'receipt') receipts.add({ provider: word(data?.provider), result: outcome });
    if (name === 'provider.opened' || name === 'provider.closed')
      breakers.add({ provider: word(data?.provider), state: outcome });
    if (kind === 'message' && outcome !== 'queued') {
      deliveries.add({ provider: word(data?.provider), channel: word(data?.channel), outcome });
    }
  };
  return { tallies: [started, finished, steps, deliveries, decisions, receipts, breakers], count };
}

/** In the primary process: gathers the metrics of all workers whenever one of them asks. */
export async function serveWorkerMetrics(): Promise<void> {
  (await import('./exposition.ts')).answerWorkers();
}
