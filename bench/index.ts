/**
 * `npm run bench [-- large | delivery] [-- --short] [-- --conditions] [-- --json file] [-- --statements]`
 *
 * Logs users in over HTTP in a closed loop, from a process of its own, against a gateway as `npm start` runs it, on
 * PostgreSQL (`DATABASE_URL`, or one that it starts), and says what that costs. Beside it, in the same rounds on the
 * same machine, run the floors: hashing alone, a bare POST, bare Fastify, and oidc-provider with a plain adapter,
 * whose login asks for the same password and a code and does nothing else.
 *
 * `large` does so on a small database and on one with a million users and five million rows. `delivery` sends messages
 * to a gateway instead, beside the library under it, and watches memory. `--conditions`: the login's second step has a
 * condition, for which the browser is looked up. `--short` is for development: its figures show direction, no more.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type DeliverySettings, deliveryText, measureDelivery } from './delivery.ts';
import { type Figures, median, type Round, statementsText, textOf } from './figures.ts';
import { variant } from './gateway.ts';
import { fillRows } from './large.ts';
import { fill, type Load, loginsInTurn, measure, type Settings, startLoad } from './measure.ts';
import { type Postgres, startPostgres } from './postgres.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    conditions: { type: 'boolean', default: false },
    json: { type: 'string' },
    short: { type: 'boolean', default: false },
    statements: { type: 'boolean', default: false },
  },
});

const thorough: Settings = {
  ...{ workers: 16, rounds: 5, warmUp: 1_500, loginMs: 10_000, otherMs: 3_000, starts: 5, counted: 40 },
  users: 2_000,
};
const hasty: Settings = {
  ...{ workers: 16, rounds: 1, warmUp: 200, loginMs: 4_000, otherMs: 1_000, starts: 2, counted: 10 },
  users: 200,
};
variant.conditions = values.conditions;
const settings = values.short ? hasty : thorough;
const sizes = values.short ? { users: 20_000, rows: 100_000 } : { users: 1_000_000, rows: 5_000_000 };

const thoroughDelivery: DeliverySettings = {
  ...{ workers: 16, rounds: 15, warmUp: 20_000, forMs: 1_000, messages: 100_000 },
};
const hastyDelivery: DeliverySettings = { ...thoroughDelivery, rounds: 3, warmUp: 10_000, forMs: 500 };

const print = (text: string) => void process.stdout.write(text);
const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`;

async function small(postgres: Postgres, load: Load, withPeers: boolean): Promise<Figures> {
  const databaseUrl = await postgres.database('small');
  await fill(databaseUrl, load, settings.users);
  const peersUrl = withPeers ? await postgres.database('plain') : null;
  return measure({ databaseUrl, peersUrl, machine }, postgres, load, settings);
}

async function large(postgres: Postgres, load: Load): Promise<Figures> {
  const databaseUrl = await postgres.database('large');
  print(`filling ${sizes.users} users and ${sizes.rows} rows\n`);
  await fill(databaseUrl, load, sizes.users);
  await fillRows(databaseUrl, sizes.rows);
  const everybody = { ...settings, users: sizes.users };
  return measure({ databaseUrl, peersUrl: null, machine }, postgres, load, everybody);
}

/** What a login costs on the large database beside the small one, round by round. */
async function compare(postgres: Postgres, load: Load): Promise<string> {
  const sides = [
    { databaseUrl: postgres.known('small'), users: settings.users },
    { databaseUrl: postgres.known('large'), users: sizes.users },
  ];
  const [before = [], after = []] = await loginsInTurn(sides, postgres, load, settings);
  const costs = ({ serverCpuMs, databaseCpuMs }: Round) => (serverCpuMs ?? 0) + (databaseCpuMs ?? 0);
  const percent = (median(after.map(costs)) / median(before.map(costs)) - 1) * 100;
  return `a login costs ${percent.toFixed(1)} % more CPU on the large database (server and PostgreSQL)\n`;
}

/** All kinds of load, one after the other. */
async function logins(postgres: Postgres): Promise<Figures[]> {
  const load = await startLoad();
  try {
    const both = positionals.includes('large');
    const all = [await small(postgres, load, !both)];
    for (const figures of all) {
      print(textOf(figures));
      if (values.statements) print(statementsText(figures));
    }
    if (both && all[0]) {
      const bigger = await large(postgres, load);
      print(`\n${textOf(bigger)}\n${await compare(postgres, load)}`);
      all.push(bigger);
    }
    return all;
  } finally {
    await load.stop();
  }
}

async function deliveries(postgres: Postgres) {
  const databaseUrl = await postgres.database('delivery');
  const asked = values.short ? hastyDelivery : thoroughDelivery;
  const figures = await measureDelivery({ databaseUrl, machine }, postgres, asked);
  print(deliveryText(figures));
  return figures;
}

process.setMaxListeners(50);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const postgres = await startPostgres(process.env.DATABASE_URL);
try {
  const figures = await (positionals.includes('delivery') ? deliveries(postgres) : logins(postgres));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await postgres.stop();
}
