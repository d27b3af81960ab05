import { resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { migrations } from '../migrations/index.ts';
import { appsSection, createApps } from './apps/index.ts';
import { createAudit } from './audit/index.ts';
import {
  ConfigurationError,
  createConfiguration,
  createReferences,
  createSettings,
  gatewaySections,
  type LiveSettings,
  loadOrCreateSecretKey,
  processVariables,
} from './config/index.ts';
import type { Change, ConfigSection, Configuration, Environment, References } from './config/types.ts';
import { createCrypto, createPasswords, createSigningKeys } from './crypto/index.ts';
import type { Crypto, Passwords } from './crypto/types.ts';
import {
  createDelivery,
  createHttpClient,
  type DeliveryService,
  deliverySweeps,
  texts as deliveryTexts,
  type HttpClient,
  providersSection,
  registerSimulator,
} from './delivery/index.ts';
import { createFlows, flowsSection, flowsSweeps, texts as flowsTexts, passwordAlone } from './flows/index.ts';
import { createGuard, guardSection, guardSweeps } from './guard/index.ts';
import { createHttp } from './http/index.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import { parseDuration } from './lib/duration.ts';
import { type RandomSource, systemRandom } from './lib/ids.ts';
import { createTicker } from './lib/ticker.ts';
import { createOidc, oidcSweeps, texts as oidcTexts } from './oidc/index.ts';
import { createOtp, otpSection, otpSweeps } from './otp/index.ts';
import { createSessions, type SessionsDocument, sessionSweeps, sessionsSection } from './sessions/index.ts';
import { isDatabaseUnavailable, openStorage } from './storage/index.ts';
import type { Revisions, Storage, Tx } from './storage/types.ts';
import { createLog, type Logger, type LogOptions } from './telemetry/index.ts';
import {
  createBreachCheck,
  createUsers,
  type PasswordsDocument,
  passwordsSection,
  usersSection,
} from './users/index.ts';
import type { Users } from './users/types.ts';

/** What a caller may put in place of the real thing. */
export interface Overrides {
  clock?: Clock;
  random?: RandomSource;
  /** Where the log goes; default: standard output. */
  logDestination?: LogOptions['destination'];
  /** Fetches what is no message; closed by the context. */
  httpClient?: HttpClient;
}

/** What stands behind the routes; enough for a command that answers no request. */
export interface Context {
  environment: Environment;
  clock: Clock;
  random: RandomSource;
  log: Logger;
  storage: Storage;
  crypto: Crypto;
  references: References;
  users: Users;
  settings: LiveSettings;
  configuration: Configuration;
  close(): Promise<void>;
}

/** A gateway that answers requests; it does not listen yet. */
export interface App {
  server: FastifyInstance;
  delivery: DeliveryService;
  /** Starts what runs beside the requests. */
  start(): Promise<void>;
  /** Answers what is under way, then stops. The context stays open. */
  close(): Promise<void>;
}

const viewsDir = resolve(import.meta.dirname, '../views');
/** How often messages are looked for that another instance left behind. */
const recoverEveryMs = 5_000;
/** How long a stop waits for answers: longer than a message may take. What is open then is cut. */
const graceMs = 9_000;
/** Somebody waits meanwhile, so it must not take long. One list of stolen passwords has some 60 KiB. */
const fetchLimits = { timeoutMs: 2_000, maxBodyBytes: 1024 * 1024 };

interface SectionParts {
  environment: Environment;
  crypto: Crypto;
  references: References;
  passwords: Passwords;
  users: Users;
  random: RandomSource;
  revisions: Pick<Revisions, 'bump'>;
}

/** Every section of the configuration, in the order in which they depend on each other. */
function sectionsOf(parts: SectionParts): ConfigSection[] {
  const { environment, crypto, references, revisions, random, users, passwords } = parts;
  const { demo, issuer } = environment;
  return [
    ...gatewaySections,
    otpSection,
    sessionsSection,
    guardSection,
    passwordsSection,
    providersSection({ crypto, references, revisions }),
    flowsSection({ revisions, random }),
    appsSection({ issuer, demo }),
    usersSection({ users, passwords, demo, passwordAlone }),
  ];
}

/** What the files may say. For commands that look at files only: it has no database and cannot save. */
export async function createSections(environment: Environment): Promise<ConfigSection[]> {
  const crypto = createCrypto([{ id: 'none', bytes: systemRandom(32) }]);
  const passwords = createPasswords();
  const log = createLog({ level: 'silent' });
  const revisions = {
    bump: async () => {
      throw new Error('these sections were made without a database');
    },
  };
  return sectionsOf({
    environment,
    crypto,
    references: createReferences(processVariables),
    passwords,
    users: createUsers({ crypto, passwords, clock: systemClock, log, demo: environment.demo }),
    random: systemRandom,
    revisions,
  });
}

function secretKeysOf(environment: Environment) {
  if (environment.secretKeys !== null) return environment.secretKeys;
  if (environment.databaseUrl === null) return loadOrCreateSecretKey(environment.dataDir);
  throw new ConfigurationError([{ path: 'SECRET_KEY', message: 'is required with DATABASE_URL' }]);
}

/** Opens the database and everything that needs no request. Neither migrates nor applies configuration. */
export async function createContext(environment: Environment, overrides: Overrides = {}): Promise<Context> {
  const { clock = systemClock, random = systemRandom, logDestination } = overrides;
  const log = createLog({
    level: environment.logLevel,
    ...(logDestination !== undefined && { destination: logDestination }),
  });
  const { databaseUrl, dataDir, demo } = environment;
  const storage = await openStorage({ databaseUrl, dataDir, migrations, clock, log });
  const httpClient = overrides.httpClient ?? createHttpClient(fetchLimits);
  const close = async () => {
    await httpClient.close();
    await storage.close();
  };
  try {
    const crypto = createCrypto(secretKeysOf(environment), random);
    const references = createReferences(processVariables);
    const passwords = createPasswords();
    const isBreached = createBreachCheck({
      get: httpClient.get,
      rules: () => settings.get<PasswordsDocument>('passwords'),
      log,
    });
    const users = createUsers({ crypto, passwords, clock, log, random, demo, isBreached });
    const { revisions } = storage;
    const sections = sectionsOf({ environment, crypto, references, passwords, users, random, revisions });
    const audit = createAudit(random);
    const configuration = createConfiguration({
      sections,
      storage,
      references,
      clock,
      log,
      onApplied: (tx: Tx, changes: Change[], now: Date) =>
        audit.record(tx, now, [{ name: 'config.applied', data: { changes: changes.length } }]),
    });
    const settings = createSettings({ sections, storage, log });
    return {
      ...{ environment, clock, random, log, storage, crypto, references, users, settings, configuration },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Builds the gateway on a migrated database. */
export async function createApp(context: Context): Promise<App> {
  const { environment, clock, random, log, storage, crypto, references, users, settings } = context;
  const { issuer, demo } = environment;
  const { db } = storage;
  await settings.load();
  const audit = createAudit(random);
  const apps = createApps({ revisions: storage.revisions, issuer, demo });
  const guard = createGuard({ db, crypto, random, settings });
  const otp = createOtp({ crypto, random });
  const sessions = createSessions({ settings, random, audit });
  const delivery = await createDelivery({ storage, crypto, clock, log, references, issuer, audit });
  const { app: server, http } = await createHttp({
    ...{ issuer, crypto, log, viewsDir },
    texts: { ...deliveryTexts, ...flowsTexts, ...oidcTexts },
    trustedProxies: settings.get<string[]>('trustedProxies'),
    name: () => settings.get<string>('name'),
    isUnavailable: isDatabaseUnavailable,
  });
  const parts = { ...{ storage, crypto, clock, random, log, http, users, apps, guard }, delivery, otp };
  const flows = createFlows({ ...parts, sessions, audit, settings, issuer });
  const oidc = await createOidc({
    ...{ issuer, storage, crypto, clock, log, http, apps, users, sessions, flows },
    keys: createSigningKeys({ crypto, clock }),
    sessionLifeMs: () => parseDuration(settings.get<SessionsDocument>('sessions').absolute),
  });

  healthRoutes(server, storage);
  await server.register(flows.plugin);
  await server.register(oidc.plugin);
  const configured = () => delivery.simulatorConfigured();
  await server.register(async (scope) =>
    registerSimulator(scope, { http, db, crypto, clock, issuer, configured }),
  );

  storage.sweep(
    ...otpSweeps,
    ...sessionSweeps,
    ...guardSweeps,
    ...deliverySweeps,
    ...flowsSweeps,
    ...oidcSweeps,
  );
  const recovery = createTicker(
    () => delivery.recover(clock.now()).catch((err) => log.warn({ err }, 'messages not recovered')),
    () => recoverEveryMs,
  );
  return {
    server,
    delivery,
    async start() {
      await storage.start();
      recovery.start();
    },
    async close() {
      await closeServer(server);
      await recovery.stop();
      await delivery.close();
    },
  };
}

/** A request that never ends would keep the process until somebody kills it. */
async function closeServer(server: FastifyInstance): Promise<void> {
  const impatience = setTimeout(() => server.server.closeAllConnections(), graceMs);
  await server.close();
  clearTimeout(impatience);
}

/** For load balancers and orchestrators: whether the process lives, and whether it can do its work. */
function healthRoutes(server: FastifyInstance, storage: Storage): void {
  server.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  server.get('/readyz', async (request, reply) => {
    try {
      await storage.ready();
      return reply.type('text/plain').send('ready\n');
    } catch (err) {
      request.log.warn({ err }, 'not ready');
      return reply.code(503).header('retry-after', '1').type('text/plain').send('not ready\n');
    }
  });
}
