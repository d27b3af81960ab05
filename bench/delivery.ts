import { type Child, startChild } from './child.ts';
import { quantile, type Round, type Row, spread, table } from './figures.ts';
import type { Memory, Order, Sent } from './peers/sender.ts';
import type { Postgres } from './postgres.ts';
import { usageOf } from './usage.ts';

export interface DeliverySettings {
  workers: number;
  rounds: number;
  /** Messages of each way before anything is measured. */
  warmUp: number;
  forMs: number;
  /** Messages over which memory is watched. */
  messages: number;
}

export interface DeliveryFigures {
  machine: string;
  postgres: string;
  settings: DeliverySettings;
  rows: Row[];
  /** What the connector does of bare undici in the same round, in messages a second, against each way to use it. */
  ratios: { dispatch: number[]; request: number[] };
  /** The same in messages for each second of CPU, which is steadier where other things run, too. */
  cpuRatios: { dispatch: number[]; request: number[] };
  memory: (Memory & { messages: number })[];
}

/** What is compared, and how its row is called. */
const ways = {
  dispatch: 'bare undici, dispatch()',
  request: 'bare undici, request()',
  connector: 'connector',
  stored: 'connector with message rows',
};
type Name = keyof typeof ways;
const names = Object.keys(ways) as Name[];
/** After how many of the messages memory is read. */
const readings = [0.1, 0.5, 1];

const ask = async <T>(child: Child, message: object): Promise<T> => {
  child.send(message);
  const { answer, error } = await child.next<{ answer: T; error?: string }>();
  if (error !== undefined) throw new Error(`sending failed: ${error}`);
  return answer;
};
const order = (child: Child, order: Order): Promise<Sent> => ask(child, { order });

async function startSender(name: Name, url: string, databaseUrl: string): Promise<Child> {
  const child = startChild('peers/sender.ts', {
    args: [name, url, databaseUrl],
    env: { NODE_ENV: 'production' },
  });
  await child.next();
  return child;
}

/** Messages through the connector to a gateway on this machine, beside the library under it; `databaseUrl` is empty. */
export async function measureDelivery(
  { databaseUrl, machine }: { databaseUrl: string; machine: string },
  postgres: Postgres,
  settings: DeliverySettings,
): Promise<DeliveryFigures> {
  const gateway = startChild('peers/sms-gateway.ts', { env: { NODE_ENV: 'production' } });
  const started: Child[] = [gateway];
  try {
    const { url } = await gateway.next<{ url: string }>();
    const senders = new Map<Name, Child>();
    for (const name of names) {
      const sender = await startSender(name, url, databaseUrl);
      senders.set(name, sender);
      started.push(sender);
    }
    const rows = await rounds(senders, postgres, settings);
    const watched = await startSender('connector', url, '');
    started.push(watched);
    const memory = await watchMemory(watched, settings);
    return {
      ...{ machine, postgres: postgres.version, settings, memory },
      rows: names.map((name) => ({ name: ways[name], rounds: rows[name] })),
      ratios: { dispatch: ratio(rows, 'dispatch', speed), request: ratio(rows, 'request', speed) },
      cpuRatios: { dispatch: ratio(rows, 'dispatch', thrift), request: ratio(rows, 'request', thrift) },
    };
  } finally {
    for (const child of started) await child.stop();
  }
}

/** Interleaved, so that a slow minute hits all ways. */
async function rounds(
  senders: Map<Name, Child>,
  postgres: Postgres,
  { forMs, rounds: times, warmUp, workers }: DeliverySettings,
): Promise<Record<Name, Round[]>> {
  const rows: Record<Name, Round[]> = { dispatch: [], request: [], connector: [], stored: [] };
  const each = async (work: (name: Name, child: Child) => Promise<void>) => {
    for (const [name, child] of senders) await work(name, child);
  };
  // Writing to disk is slow from the first message on: nothing gets faster there by doing it often.
  await each(async (name, child) => {
    await order(child, { workers, times: name === 'stored' ? warmUp / 20 : warmUp });
  });
  for (let n = 0; n < times; n += 1) {
    await each(async (name, child) => {
      const reads = name === 'stored' && postgres.pid !== null ? postgres.pid : null;
      const before = reads === null ? 0 : usageOf(reads).cpuMs;
      const { done, ms, latencies, cpuMs } = await order(child, { workers, forMs });
      const database = reads === null ? null : (usageOf(reads).cpuMs - before) / done;
      rows[name].push({
        perSecond: (done / ms) * 1000,
        ...{ p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99) },
        serverCpuMs: cpuMs / done,
        databaseCpuMs: database,
      });
    });
  }
  return rows;
}

const speed = ({ perSecond }: Round): number => perSecond;
const thrift = ({ serverCpuMs }: Round): number => 1_000 / (serverCpuMs ?? Number.NaN);

const ratio = (
  rows: Record<Name, Round[]>,
  bare: 'dispatch' | 'request',
  of: (round: Round) => number,
): number[] =>
  rows.connector.map((round, n) => {
    const beside = rows[bare][n];
    return beside === undefined ? Number.NaN : of(round) / of(beside);
  });

async function watchMemory(
  child: Child,
  { messages, workers }: DeliverySettings,
): Promise<DeliveryFigures['memory']> {
  const read: DeliveryFigures['memory'] = [];
  let sent = 0;
  for (const share of readings) {
    const until = messages * share;
    await order(child, { workers, times: until - sent });
    sent = until;
    read.push({ messages: sent, ...(await ask<Memory>(child, { memory: true })) });
  }
  return read;
}

/** The whole answer as people read it. */
export function deliveryText(figures: DeliveryFigures): string {
  const { cpuRatios, machine, memory, postgres, ratios, rows, settings } = figures;
  const { rounds: times, warmUp, workers } = settings;
  return [
    `${machine}, PostgreSQL ${postgres}`,
    `${workers} messages at once, ${times} interleaved rounds after ${warmUp} messages; median (lowest-highest)`,
    '',
    table(rows),
    '',
    'the connector beside bare undici, aim 0.6:',
    `  messages a second: ${spread(ratios.dispatch)} of dispatch(), ${spread(ratios.request)} of request()`,
    `  messages for the same CPU: ${spread(cpuRatios.dispatch)} of dispatch(), ${spread(cpuRatios.request)} of request()`,
    ...memory.map(
      ({ heapMb, messages, rssMb }) =>
        `after ${messages} messages: ${heapMb.toFixed(2)} MB of heap, ${rssMb.toFixed(1)} MB resident`,
    ),
    '',
  ].join('\n');
}
