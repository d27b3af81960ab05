import { sql } from 'kysely';
import { type Context, createContext } from './app.ts';
import type { Environment } from './config/types.ts';
import type { OlderKey } from './crypto/types.ts';
import { examineProviders } from './delivery/index.ts';
import { isLoopback } from './lib/network.ts';
import { clockSkewMs, DataDirInUse } from './storage/index.ts';

/** One thing that was looked at. Plain JSON. */
export interface Finding {
  level: 'ok' | 'warning' | 'error';
  about: 'issuer' | 'cookies' | 'database' | 'clock' | 'secrets' | 'keys' | 'providers';
  /** What was found, and for anything but `ok` what mends it. */
  says: string;
}

type About = Finding['about'];

const ok = (about: About, says: string): Finding => ({ level: 'ok', about, says });
const warning = (about: About, says: string): Finding => ({ level: 'warning', about, says });
const fault = (about: About, says: string): Finding => ({ level: 'error', about, says });

/**
 * Looks at everything that a gateway with this environment stands on, and changes nothing. Throws `DataDirInUse` when a
 * server holds the database: it is then the one to ask.
 */
export async function examine(environment: Environment): Promise<Finding[]> {
  let context: Context;
  try {
    context = await createContext({ ...environment, logLevel: 'silent' });
  } catch (error) {
    if (error instanceof DataDirInUse) throw error;
    return [...examineIssuer(environment), fault('database', (error as Error).message)];
  }
  try {
    return await examineContext(context);
  } finally {
    await context.close();
  }
}

/** The same for a gateway that is open already. */
export async function examineContext(context: Context): Promise<Finding[]> {
  const issuer = examineIssuer(context.environment);
  const database = await attempt('database', () => examineDatabase(context));
  // What follows reads tables: without them each would only say so again.
  if (database.some(({ level }) => level === 'error')) return [...issuer, ...database];
  await context.settings.load();
  const rest = [
    await attempt('clock', () => examineClock(context)),
    await attempt('secrets', () => examineSecrets(context)),
    await attempt('keys', () => examineKeys(context)),
    await attempt('providers', () => examineProvidersOf(context)),
    examineProxies(context),
  ];
  return [...issuer, ...database, ...rest.flat()];
}

async function attempt(about: About, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors : [error];
    return [fault(about, reasons.map((reason: Error) => reason.message).join('; '))];
  }
}

function examineIssuer({ issuer, databaseUrl, demo }: Environment): Finding[] {
  if (issuer.protocol === 'https:') {
    return [
      ok('issuer', `${issuer.origin}; it must be what people see in their browser`),
      ok('cookies', 'Secure, with the prefixes __Host- and __Secure-'),
    ];
  }
  const says = `${issuer.origin}: nobody but this machine can sign in there. Set ISSUER to the public https:// address`;
  // Plain http is refused at start anywhere but here.
  const trial = demo || databaseUrl === null;
  if (!isLoopback(issuer.hostname)) return [fault('issuer', says)];
  return [
    (trial ? ok : warning)('issuer', trial ? `${issuer.origin}, for trying` : says),
    (trial ? ok : warning)(
      'cookies',
      'sent over plain http, without prefixes; with an https issuer they are safe',
    ),
  ];
}

const oldestPostgres = 150_000;
/** What a process opens at most beside its pool: jobs, migrations. */
const besidePool = 3;

async function examineDatabase({ storage, environment }: Context): Promise<Finding[]> {
  const { rows } = await sql<{ version: string; most: string }>`
    select current_setting('server_version_num') as version, current_setting('max_connections') as most
  `.execute(storage.db);
  const { version = '0', most = '0' } = rows[0] ?? {};
  const name = storage.kind === 'embedded' ? 'embedded database' : 'PostgreSQL';
  if (Number(version) < oldestPostgres) {
    return [fault('database', `${name} ${Math.floor(Number(version) / 10_000)} is too old: 15 is needed`)];
  }
  await storage.ready();
  const findings = [
    ok('database', `${name} ${Math.floor(Number(version) / 10_000)}, every migration applied`),
  ];
  const pool = storage.pool();
  if (pool === null) return findings;
  const needed = (pool.size + besidePool) * environment.workers;
  if (needed > Number(most)) {
    const advice = 'raise max_connections, run fewer WORKERS, or put PgBouncer between';
    const says = `this instance may open ${needed} connections, and the server allows ${most}: ${advice}`;
    findings.push(warning('database', says));
  }
  return findings;
}

async function examineClock({ storage, clock }: Context): Promise<Finding[]> {
  const skewMs = Math.round(await clockSkewMs(storage.db, clock));
  const says = `${Math.abs(skewMs)} ms from the database's`;
  if (Math.abs(skewMs) < 2_000) return [ok('clock', says)];
  const level = Math.abs(skewMs) < 30_000 ? warning : fault;
  return [level('clock', `${says}: set both by NTP; from 30 s on a server does not start`)];
}

async function examineSecrets({ sealed }: Context): Promise<Finding[]> {
  const unreadable = await sealed.unreadable();
  if (unreadable === null) {
    const older = await sealed.older();
    return [ok('secrets', 'SECRET_KEY opens what is sealed in the database'), ...older.map(examineOlderKey)];
  }
  const lost = unreadable.lost.map(({ what, count }) => `${count} ${what}`).join(', ');
  const ids = unreadable.keyIds.join(', ');
  return [
    fault('secrets', `SECRET_KEY does not open ${lost}: add the key ${ids} behind a comma, as id:base64`),
  ];
}

function examineOlderKey({ held, id, rows }: OlderKey): Finding {
  const what = rows.map((row) => `${row.count} ${row.what}`).join(', ');
  return held
    ? ok('secrets', `the key ${id} is still needed, by ${what}`)
    : warning('secrets', `${what} are of no use without the key ${id}: add it behind a comma, as id:base64`);
}

async function examineKeys({ keys, clock }: Context): Promise<Finding[]> {
  const live = await keys.list();
  if (live.length === 0) return [ok('keys', 'none yet: the first start of a server makes them')];
  return (['ES256', 'RS256'] as const).map((alg) => {
    const signing = live.find((key) => key.alg === alg && key.state === 'signing');
    if (signing === undefined) return fault('keys', `no key signs ${alg}: sallyport keys rotate makes one`);
    const days = Math.floor((clock.now().getTime() - Date.parse(signing.signsFrom)) / 86_400_000);
    return ok('keys', `${alg} signs since ${days} days`);
  });
}

async function examineProvidersOf(context: Context): Promise<Finding[]> {
  const { storage, crypto, references, log, clock } = context;
  const states = await examineProviders({ db: storage.db, crypto, references, log, clock });
  if (states.length === 0) {
    return [warning('providers', 'none is enabled: no code can be sent. See config/providers.yaml')];
  }
  return states.map(({ id, channel, preset, fault: broken, leftAlone }) => {
    if (broken !== null) return fault('providers', `${id} (${channel}): ${broken}`);
    if (leftAlone !== null) {
      const { reason, until } = leftAlone;
      const mend = 'saving the provider again has it asked at once';
      const says = `${id} (${channel}) is not asked until ${until.toISOString()}: ${reason}; ${mend}`;
      return warning('providers', says);
    }
    if (preset !== 'simulator') return ok('providers', `${id} (${channel}, ${preset})`);
    const says = `${id} (${channel}) is a simulator: its messages reach nobody, and everybody can read them`;
    return (context.environment.demo ? ok : warning)('providers', says);
  });
}

function examineProxies({ settings, environment }: Context): Finding[] {
  const proxies = settings.get<string[]>('trustedProxies');
  if (proxies.length > 0 || environment.issuer.protocol === 'http:') return [];
  const says =
    'https is spoken by a proxy in front, and trustedProxies is empty: every visitor seems to come from the ' +
    "proxy's address, and limits per address meet all of them at once. Name the proxy in gateway.yaml, and restart";
  return [warning('issuer', says)];
}
