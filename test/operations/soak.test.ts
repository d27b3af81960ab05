/**
 * Mixed load for a minute, or for as long as one likes:
 *   SOAK_MINUTES=30 node --test test/operations/soak.test.ts
 * Rows are made older than they are, so that the gateway's own sweeper finds at once what it would find in a year.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import t from 'tap';
import { type Context, createApp, createContext } from '../../src/app.ts';
import { readEnvironment } from '../../src/config/index.ts';
import { startSmsGateway } from '../../src/demo/index.ts';
import { after } from '../../src/lib/clock.ts';
import {
  generousGuard,
  postgresUrl,
  shop,
  standard,
  type TestGateway,
  testEnvironment,
} from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { createTestApp } from '../helpers/relying-party.ts';
import { createMixedLoad } from './mixed-load.ts';
import { emptyJournal, keepBusy, people } from './people.ts';

const minutes = Number(process.env.SOAK_MINUTES ?? 1);
const dayMs = 86_400_000;
const lookMs = 1_000;
/** Nobody needs a row any more that was written so long ago: everything people do here is done sooner. */
const agedAfterMs = 20_000;
/** The sweeper rests for a minute, a quarter more or less, and needs some time. */
const sweptWithinMs = 90_000;
/**
 * So much may the least memory of the last third be above that of the second; the first is for warming up. The heap is
 * measured without its garbage. Resident memory follows it only when V8 likes, which it may not do within a minute.
 */
const tolerance = {
  heap: { part: 0.1, mib: 3 },
  resident: minutes < 5 ? { part: 0.5, mib: 50 } : { part: 0.1, mib: 15 },
};
const collecting = new URL('collect-garbage.js', import.meta.url).href;

/** Which column says when a row was written, and which when it goes. */
const comeAndGo = [
  ['logins', 'created_at', 'expires_at'],
  ['sessions', 'created_at', 'expires_at'],
  ['oidc_artifacts', 'created_at', 'expires_at'],
  ['otp_challenges', 'created_at', 'expires_at'],
  ['messages', 'created_at', 'expires_at'],
  ['factor_locks', 'last_failed_at', 'expires_at'],
  ['audit_events', 'at', 'at'],
] as const;

/** What only configuration, people and their consents add to. */
const settled = [
  ...['apps', 'backup_codes', 'flow_versions', 'flows', 'migrations', 'providers'],
  ...['revisions', 'settings', 'signing_keys', 'users'],
];

/** As if 500 days had passed since they were written. */
async function age({ storage: { db } }: Context, before: Date): Promise<void> {
  for (const [table, born, dies] of comeAndGo) {
    await sql`
      update ${sql.table(table)} set ${sql.ref(dies)} = ${sql.ref(dies)} - interval '500 days'
      where ${sql.ref(born)} < ${before} and ${sql.ref(dies)} > ${after(before, -100 * dayMs)}`.execute(db);
  }
}

/** Rows that have been there for longer than the sweeper leaves them. */
async function overdue({ storage: { db } }: Context, now: number): Promise<string[]> {
  const found: string[] = [];
  for (const [table, born, dies] of comeAndGo) {
    const before = new Date(now - agedAfterMs - sweptWithinMs);
    // An event's only time has been moved; it was written 500 days later.
    const written = born === dies ? sql`${sql.ref(born)} + interval '500 days'` : sql.ref(born);
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from ${sql.table(table)}
      where ${written} < ${before} and ${sql.ref(dies)} is not null`.execute(db);
    if ((rows[0]?.n ?? 0) > 0) found.push(`${table}: ${rows[0]?.n}`);
  }
  return found;
}

interface Memory {
  heap: number;
  resident: number;
}

/** MiB of the gateway, by its metrics. */
async function memoryOf(issuer: string): Promise<Memory> {
  const text = await (await fetch(`${issuer}/metrics`)).text();
  const read = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]) / 1024 ** 2;
  return { heap: read('nodejs_heap_size_used_bytes'), resident: read('process_resident_memory_bytes') };
}

/** The least of each of three parts of the time. */
function leastOfThirds(samples: number[]): [first: number, second: number, last: number] {
  const third = Math.floor(samples.length / 3);
  const least = (from: number, to?: number) => Math.round(Math.min(...samples.slice(from, to)));
  return [least(0, third), least(third, 2 * third), least(2 * third)];
}

async function countRows({ storage: { db } }: Context): Promise<Map<string, number>> {
  const tables = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(db);
  const counts = new Map<string, number>();
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ n: number }>`select count(*)::integer as n from ${sql.table(name)}`.execute(
      db,
    );
    counts.set(name, rows[0]?.n ?? 0);
  }
  return counts;
}

t.setTimeout((minutes + 4) * 60_000);

t.test('mixed load: memory stays, and the tables are swept', async (t) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const everybody = people(20);
  const [persons, clumsy] = [everybody.slice(0, 8), everybody.slice(8)];
  const files = { ...standard(sms.url), users: everybody };
  files.apps = files.apps.map((app) => ({ ...app, deviceFlow: true }));
  const metrics = { enabled: true, allowFrom: ['127.0.0.0/8', '::1'] };
  files.gateway = { guard: generousGuard, otp: { resendAfter: '1s' }, metrics };
  const databaseUrl = await postgresUrl(t);
  const env = await testEnvironment(
    t,
    { databaseUrl, env: { LOG_LEVEL: 'error', NODE_OPTIONS: `--import=${collecting}` } },
    files,
  );
  const { process: gateway, port } = await startProcess(t, env);
  const context = await createContext(readEnvironment(env), { logDestination: { write: () => {} } });
  t.teardown(() => context.close());
  // As another instance, which answers nobody.
  const other = await createApp(context);
  t.teardown(() => other.close());

  const issuer = `http://localhost:${port}`;
  const app = await createTestApp({ issuer } as TestGateway, shop);
  const journal = emptyJournal();
  const load = createMixedLoad(app, sms, journal, clumsy);
  const began = Date.now();
  const ends = began + minutes * 60_000;
  const busy = keepBusy(persons, journal, () => Date.now() > ends, load.next);

  const memory: Memory[] = [];
  const late: string[] = [];
  while (Date.now() < ends) {
    await delay(lookMs);
    gateway.kill('SIGUSR2');
    memory.push(await memoryOf(issuer));
    await age(context, new Date(Date.now() - agedAfterMs));
    late.push(...(await overdue(context, Date.now())));
  }
  await busy;

  t.same(journal.faults, [], 'nobody met an error');
  for (const [what, times] of Object.entries(load.done)) t.ok(times > 0, `${what}: ${times}`);
  t.same(late, [], 'no row outstayed its time');
  for (const kind of ['heap', 'resident'] as const) {
    const thirds = leastOfThirds(memory.map((sample) => sample[kind]));
    const most = thirds[1] * (1 + tolerance[kind].part) + tolerance[kind].mib;
    t.ok(thirds[2] <= most, `${kind} memory, MiB at least in each third: ${thirds.join(', ')}`);
  }
  t.equal(gateway.exitCode, null, 'the process lives');

  // The gateway sweeps by itself: what was written at first goes, though nobody asks any more.
  await age(context, new Date());
  let left = [''];
  for (const until = Date.now() + sweptWithinMs; left.length > 0 && Date.now() < until; await delay(500)) {
    left = await overdue(context, Date.now() + sweptWithinMs);
  }
  t.same(left, [], 'the gateway has swept everything that was old enough');

  await context.storage.sweepNow(after(new Date(), 500 * dayMs));
  const counts = await countRows(context);
  const consents = await context.storage.db
    .selectFrom('oidc_artifacts')
    .select('model')
    .where('expires_at', 'is', null)
    .execute();
  counts.set('oidc_artifacts', (counts.get('oidc_artifacts') ?? 0) - consents.length);
  t.ok(consents.length <= everybody.length, 'a consent for each person at most');
  const full = [...counts].flatMap(([name, n]) =>
    n > 0 && !settled.includes(name) ? [`${name}: ${n}`] : [],
  );
  t.same(full, [], 'of every table that grows, time removes all');
});
