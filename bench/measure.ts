import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/helpers/port.ts';
import { type Child, startChild } from './child.ts';
import { type Figures, median, quantile, type Round, type Row } from './figures.ts';
import { addUsers, type Gateway, startGateway, variant } from './gateway.ts';
import type { Prepare, Ran, Run } from './load.ts';
import type { Postgres } from './postgres.ts';
import { startStatementCounter } from './statement-counter.ts';
import { usageOf } from './usage.ts';

export interface Settings {
  workers: number;
  rounds: number;
  /** Logins before anything is measured. */
  warmUp: number;
  loginMs: number;
  otherMs: number;
  starts: number;
  /** Logins whose statements are counted. */
  counted: number;
  users: number;
}

export interface Load {
  smsUrl: string;
  prepare(what: Prepare): Promise<void>;
  run(what: Run): Promise<Ran>;
  stop(): Promise<void>;
}

export async function startLoad(): Promise<Load> {
  const child = startChild('load.ts');
  const { smsUrl } = await child.next<{ smsUrl: string }>();
  const ask = async <T>(message: object): Promise<T> => {
    child.send(message);
    const { answer, error } = await child.next<{ answer: T; error?: string }>();
    if (error !== undefined) throw new Error(`the load generator failed: ${error}`);
    return answer;
  };
  return {
    smsUrl,
    prepare: (prepare) => ask({ prepare }),
    run: (run) => ask({ run }),
    stop: () => child.stop(),
  };
}

/** Who does the work of a row, for its CPU time. */
interface Measured {
  name: string;
  forMs: number;
  server: number | null;
}

/** What is measured beside: each a process of its own. */
interface Peers {
  provider: { origin: string; child: Child };
  fastify: { origin: string; child: Child };
  argon2: Child;
}

async function startPeers(databaseUrl: string, smsUrl: string, users: number): Promise<Peers> {
  const port = await freePort();
  const provider = startChild('peers/provider.ts', {
    args: [databaseUrl, String(port), smsUrl, String(users)],
    env: { NODE_ENV: 'production' },
  });
  await provider.next();
  const fastify = startChild('peers/fastify.ts', { env: { NODE_ENV: 'production' } });
  const { port: fastifyPort } = await fastify.next<{ port: number }>();
  const argon2 = startChild('peers/argon2.ts');
  await argon2.next();
  return {
    provider: { origin: `http://localhost:${port}`, child: provider },
    fastify: { origin: `http://127.0.0.1:${fastifyPort}`, child: fastify },
    argon2,
  };
}

async function round(load: Load, postgres: Postgres, workers: number, what: Measured): Promise<Round> {
  const read = () => ({
    server: what.server === null ? null : usageOf(what.server).cpuMs,
    database: postgres.pid === null ? null : usageOf(postgres.pid).cpuMs,
  });
  const before = read();
  const { done, ms, latencies } = await load.run({ kind: what.name, workers, forMs: what.forMs });
  const after = read();
  const each = (key: 'server' | 'database') =>
    after[key] === null || before[key] === null ? null : (after[key] - before[key]) / done;
  return {
    perSecond: (done / ms) * 1000,
    ...{ p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99) },
    serverCpuMs: each('server'),
    databaseCpuMs: each('database'),
  };
}

async function hashing(argon2: Child, forMs: number): Promise<Round> {
  argon2.send({ forMs });
  const { done, ms, cpuMs } = await argon2.next<{ done: number; ms: number; cpuMs: number }>();
  const each = (ms / done) * availableParallelism();
  return {
    perSecond: (done / ms) * 1000,
    p50: each,
    p95: each,
    p99: each,
    serverCpuMs: cpuMs / done,
    databaseCpuMs: null,
  };
}

const endpoints = ['refresh', 'introspection', 'userinfo', 'discovery'];

/** All rounds, one after the other through every kind of work, so that a slow minute hits all of them. */
async function rounds(
  load: Load,
  postgres: Postgres,
  gateway: Gateway,
  peers: Peers | null,
  settings: Settings,
): Promise<Row[]> {
  const { loginMs, otherMs, workers } = settings;
  const work: Measured[] = [
    { name: 'login', forMs: loginMs, server: gateway.pid },
    ...endpoints.map((name) => ({ name, forMs: otherMs, server: gateway.pid })),
  ];
  if (peers) {
    const plain = ['login', ...endpoints].map((name) => `plain ${name}`);
    work.push(...plain.map((name) => ({ name, forMs: otherMs, server: peers.provider.child.pid })));
    work.push({ name: 'bare Fastify', forMs: otherMs, server: peers.fastify.child.pid });
    work.push({ name: 'bare undici POST', forMs: otherMs, server: null });
  }
  const rows = work.map(({ name }): Row => ({ name, rounds: [] }));
  const argon2: Row = { name: 'argon2id alone', rounds: [] };
  for (let n = 0; n < settings.rounds; n += 1) {
    for (const [at, what] of work.entries())
      rows[at]?.rounds.push(await round(load, postgres, workers, what));
    if (peers) argon2.rounds.push(await hashing(peers.argon2, otherMs));
  }
  return peers ? [...rows, argon2] : rows;
}

/** Statements of logins one after the other, less what the gateway says by itself when nobody is there. */
async function countStatements(
  databaseUrl: string,
  load: Load,
  settings: Settings,
): Promise<Figures['statements']> {
  const counter = await startStatementCounter(databaseUrl);
  try {
    const gateway = await startGateway(counter.url, load.smsUrl);
    try {
      await load.prepare({
        gateway: gateway.origin,
        provider: '',
        fastify: '',
        // Few, so that those who are counted come back.
        users: variant.conditions ? 10 : settings.users,
        workers: 1,
      });
      await load.run({ kind: 'login', workers: 1, times: 10 });
      await sleep(500);
      counter.take();
      await sleep(6_000);
      const idle = counter.take();
      await load.run({ kind: 'login', workers: 1, times: settings.counted });
      await sleep(500);
      const counted = [...counter.take()].filter(([text]) => !idle.has(text) && !/pgboss/.test(text));
      const texts = counted.map(([text, n]): [string, number] => [text, n / settings.counted]);
      const framing = /^(begin|commit|rollback|start transaction)/i;
      const sum = (rows: typeof texts) => rows.reduce((total, [, n]) => total + n, 0);
      return {
        perLogin: sum(texts.filter(([text]) => !framing.test(text))),
        transactions: sum(texts.filter(([text]) => /^(begin|start transaction)/i.test(text))),
        texts: texts.toSorted(([, a], [, b]) => b - a),
      };
    } finally {
      await gateway.stop();
    }
  } finally {
    await counter.close();
  }
}

/** How long a start takes on a database that is migrated, with warm caches. */
async function coldStarts(databaseUrl: string, load: Load, times: number): Promise<number[]> {
  const readyMs: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const gateway = await startGateway(databaseUrl, load.smsUrl);
    readyMs.push(gateway.readyMs);
    await gateway.stop();
  }
  return readyMs;
}

/** A migrated database with the configuration and the users of the bench. */
export async function fill(databaseUrl: string, load: Load, users: number): Promise<void> {
  const gateway = await startGateway(databaseUrl, load.smsUrl);
  await gateway.stop();
  await addUsers(databaseUrl, 0, users - 1);
}

/** Every figure of one database. `peersUrl`: a database for what is measured beside; null: nothing beside. */
export async function measure(
  { databaseUrl, peersUrl, machine }: { databaseUrl: string; peersUrl: string | null; machine: string },
  postgres: Postgres,
  load: Load,
  settings: Settings,
): Promise<Figures> {
  const readyMs = await coldStarts(databaseUrl, load, settings.starts);
  const statements = await countStatements(databaseUrl, load, settings);
  const peers = peersUrl === null ? null : await startPeers(peersUrl, load.smsUrl, settings.users);
  const gateway = await startGateway(databaseUrl, load.smsUrl);
  try {
    await sleep(5_000);
    const idle = usageOf(gateway.pid).rssMb;
    const { users, workers, warmUp } = settings;
    await load.prepare({
      ...{ gateway: gateway.origin, users, workers },
      provider: peers?.provider.origin ?? '',
      fastify: peers?.fastify.origin ?? '',
    });
    await load.run({ kind: 'login', workers, times: warmUp });
    for (const name of endpoints) await load.run({ kind: name, workers, times: warmUp });
    if (peers)
      for (const name of endpoints) await load.run({ kind: `plain ${name}`, workers, times: warmUp });
    const rows = await rounds(load, postgres, gateway, peers, settings);
    const loaded = usageOf(gateway.pid).rssMb;
    const one = await load.run({ kind: 'login', workers: 1, forMs: settings.loginMs });
    return {
      ...{ machine, postgres: postgres.version, users, rows, statements, readyMs },
      settings: { workers, rounds: settings.rounds, warmUp },
      oneUserP50: median(one.latencies),
      rssMb: { idle, loaded },
    };
  } finally {
    await gateway.stop();
    for (const child of peers ? [peers.provider.child, peers.fastify.child, peers.argon2] : [])
      await child.stop();
  }
}

/** Rounds of logins on several databases, one after the other, so that a slow minute hits all of them. */
export async function loginsInTurn(
  sides: { databaseUrl: string; users: number }[],
  postgres: Postgres,
  load: Load,
  { loginMs, rounds: times, warmUp, workers }: Settings,
): Promise<Round[][]> {
  const gateways: Gateway[] = [];
  try {
    for (const { databaseUrl } of sides) gateways.push(await startGateway(databaseUrl, load.smsUrl));
    const measured = sides.map((): Round[] => []);
    for (let n = -1; n < times; n += 1) {
      for (const [at, gateway] of gateways.entries()) {
        const users = sides[at]?.users ?? 0;
        await load.prepare({ gateway: gateway.origin, provider: '', fastify: '', users, workers });
        if (n < 0) await load.run({ kind: 'login', workers, times: warmUp });
        else
          measured[at]?.push(
            await round(load, postgres, workers, { name: 'login', forMs: loginMs, server: gateway.pid }),
          );
      }
    }
    return measured;
  } finally {
    for (const gateway of gateways) await gateway.stop();
  }
}
