/**
 * The load generator: a process of its own, so that its work is in nobody's figures. It holds the mock gateway, logs
 * users in, and runs one kind of work at a time in a closed loop, as the bench tells it over the channel.
 */
import { createPool } from './http.ts';
import { startSms } from './sms.ts';
import { endpoints, login, type Sms, type Target, type Work } from './work.ts';

export interface Prepare {
  gateway: string;
  provider: string;
  fastify: string;
  /** Users that log in in turn. */
  users: number;
  /** Most workers at once. */
  workers: number;
}

export interface Run {
  kind: string;
  workers: number;
  /** How long to run; or how often in all. */
  forMs?: number;
  times?: number;
}

export interface Ran {
  done: number;
  ms: number;
  latencies: number[];
}

const works = new Map<string, Work>();
let nextUser = 0;

async function targetWith(origin: string, connections: number): Promise<Target> {
  return { origin, pool: createPool(origin, connections) };
}

async function prepare(sms: Sms, { gateway, provider, fastify, users, workers }: Prepare): Promise<void> {
  works.clear();
  const ours = await targetWith(gateway, workers);
  const user = () => (nextUser = (nextUser + 1) % users);
  works.set('login', async () => void (await login(ours, sms, user(), false)));
  const everyone = Array.from({ length: workers });
  const ourTokens = [];
  for (const _ of everyone) ourTokens.push(await login(ours, sms, user(), true));
  for (const [name, work] of Object.entries(endpoints(ours, ourTokens))) works.set(name, work);

  if (provider !== '') {
    const plain = await targetWith(provider, workers);
    const theirs = [];
    for (const _ of everyone) theirs.push(await login(plain, sms, user(), true));
    works.set('plain login', async () => void (await login(plain, sms, user(), false)));
    for (const [name, work] of Object.entries(endpoints(plain, theirs))) works.set(`plain ${name}`, work);
  }
  if (fastify !== '') {
    const { pool } = await targetWith(fastify, workers);
    works.set('bare Fastify', async () => {
      const { body } = await pool.request({ method: 'GET', path: '/' });
      await body.dump();
    });
  }
  const { pool } = await targetWith(new URL(sms.url).origin, workers);
  works.set('bare undici POST', async () => {
    const body = '{"to":"+440","text":"nobody waits for this one"}';
    const answer = await pool.request({ method: 'POST', path: '/send', body });
    await answer.body.dump();
  });
}

/** Closed loop: each worker begins anew when it has its answer. */
async function run({ kind, workers, forMs, times }: Run): Promise<Ran> {
  const work = works.get(kind);
  if (!work) throw new Error(`no work is called ${kind}`);
  const latencies: number[] = [];
  const started = performance.now();
  let begun = 0;
  const more = () => (times === undefined ? performance.now() - started < (forMs ?? 0) : begun < times);
  const worker = async (_: unknown, n: number) => {
    for (let turn = 0; more(); turn += 1) {
      begun += 1;
      const from = performance.now();
      await work(n, turn);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return { done: latencies.length, ms: performance.now() - started, latencies };
}

const sms = await startSms();
process.on('message', async (message: { prepare: Prepare } | { run: Run }) => {
  try {
    const answer = await ('prepare' in message ? prepare(sms, message.prepare) : run(message.run));
    process.send?.({ answer });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.stack : String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.send?.({ smsUrl: sms.url });
