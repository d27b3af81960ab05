/**
 * Sends messages in one of the ways that are compared, as the bench tells it over the channel. Each way is a process of
 * its own: none pays for what another has left in memory or in the compiler's caches.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openWay, type Way } from '../ways.ts';

export interface Order {
  workers: number;
  /** How long to send. */
  forMs?: number;
  /** Or how many messages; then nothing is kept of each, so that memory is that of the way alone. */
  times?: number;
}

export interface Sent {
  done: number;
  ms: number;
  latencies: number[];
  cpuMs: number;
}

export interface Memory {
  rssMb: number;
  heapMb: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Closed loop: each worker begins anew when it has its answer. */
async function send(way: Way, { workers, forMs = 0, times }: Order): Promise<Sent> {
  const latencies: number[] = [];
  const started = performance.now();
  const before = process.cpuUsage();
  let begun = 0;
  const more = () => (times === undefined ? performance.now() - started < forMs : begun < times);
  const worker = async () => {
    while (more()) {
      begun += 1;
      const from = performance.now();
      await way.send();
      if (times === undefined) latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  const { user, system } = process.cpuUsage(before);
  return { done: begun, ms: performance.now() - started, latencies, cpuMs: (user + system) / 1000 };
}

/** What stays when everything that can go has gone. */
function memory(): Memory {
  collectGarbage();
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  return { rssMb: rss / 1024 / 1024, heapMb: heapUsed / 1024 / 1024 };
}

const [name = '', url = '', databaseUrl = ''] = process.argv.slice(2);
const way = await openWay(name, url, databaseUrl);
process.on('message', async (message: { order: Order } | { memory: true }) => {
  try {
    process.send?.({ answer: 'order' in message ? await send(way, message.order) : memory() });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.stack : String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.send?.({});
