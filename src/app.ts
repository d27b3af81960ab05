import { resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { migrations } from '../migrations/index.ts';
import { createAccounts, createDesk } from './accounts.ts';
import { createApps } from './apps/index.ts';
import { createAudit } from './audit/index.ts';
import {
  ConfigurationError,
  createConfiguration,
  createReferences,
  createSettings,
  type LiveSettings,
  loadOrCreateSecretKey,
  processVariables,
} from './config/index.ts';
import type { Change, Configuration, CountryDocument, Environment, References } from './config/types.ts';
import { createCrypto, createPasswords, createSigningKeys } from './crypto/index.ts';
import type { Crypto, KeyRotation } from './crypto/types.ts';
import { createDelivering, createMessages } from './delivering.ts';
import {
  createFormPoster,
  createHttpClient,
  createProviderDesk,
  type DeliveryService,
  type HttpClient,
  type MessageDesk,
  type ProviderDesk,
} from './delivery/index.ts';
import { createFlows, type FlowDesk } from './flows/index.ts';
import { createGuarding } from './guarding.ts';
import { createHttp } from './http/index.ts';
import { createKeys, sessionLifeMs } from './keys.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import { type RandomSource, systemRandom } from './lib/ids.ts';
import { createOidc, describeApp } from './oidc/index.ts';
import type { AppPage } from './oidc/types.ts';
import { closeServer, countedAudit, mountRoutes, sweepsOf } from './operations.ts';
import { createOtp } from './otp/index.ts';
import type { PeopleDesk } from './people/index.ts';
import { createSealed, type Sealed } from './sealed.ts';
import { sectionsOf } from './sections.ts';
import {
  builtInApps,
  builtInFlows,
  createFlowDeskOf,
  createNoticesOf,
  createSelfService,
  featureTexts,
  hasAccount,
  helpContactOf,
} from './self-service.ts';
import { createDevices, createSessions } from './sessions/index.ts';
import { isDatabaseUnavailable, openStorage } from './storage/index.ts';
import type { Storage, Tx } from './storage/types.ts';
import {
  createMetrics,
  type Logger,
  type LogOptions,
  type Metrics,
  traceRequests,
} from './telemetry/index.ts';
import type { Tracer } from './telemetry/types.ts';
import { openLog, statementSpans, tracedPasswords } from './tracing.ts';
import { createBreachCheck, createUsers, type PasswordsDocument } from './users/index.ts';
import type { Users } from './users/types.ts';

export { createSections } from './sections.ts';

/** What a caller may put in place of the real thing. */
export interface Overrides {
  clock?: Clock;
  random?: RandomSource;
  /** Where the log goes; default: standard output. */
  logDestination?: LogOptions['destination'];
  /** Fetches what is no message; closed by the context. */
  httpClient?: HttpClient;
  /** Sends traces, if the environment says where to. */
  traced?: boolean;
}

/** What stands behind the routes; enough for a command that answers no request. */
export interface Context {
  environment: Environment;
  clock: Clock;
  random: RandomSource;
  log: Logger;
  metrics: Metrics;
  /** Null where no traces are wanted. */
  tracer: Tracer | null;
  storage: Storage;
  crypto: Crypto;
  references: References;
  users: Users;
  settings: LiveSettings;
  configuration: Configuration;
  /** Fetches what is no message. */
  httpClient: HttpClient;
  /** Follows the settings in force: load them first. */
  keys: KeyRotation;
  /** What the developers of an app have to know. */
  describeApp(id: string): Promise<AppPage>;
  /** Providers as commands look after them. */
  providers: ProviderDesk;
  /** Texts as commands look at them. */
  messages: MessageDesk;
  /** Flows and their versions, the same. */
  flows: FlowDesk;
  people: PeopleDesk;
  sealed: Sealed;
  close(): Promise<void>;
}

/** A gateway that answers requests; it does not listen yet. */
export interface App {
  server: FastifyInstance;
  delivery: DeliveryService;
  /** Starts what runs beside the requests, and looks at what takes longer than a start should. */
  start(): Promise<void>;
  /** Answers what is under way, then stops. The context stays open. */
  close(): Promise<void>;
}

const viewsDir = resolve(import.meta.dirname, '../views');
const localesDir = resolve(viewsDir, 'locales');
/** How long an app may take to hear of a logout. It is told beside the requests, and again when it fails. */
const noticeMs = 5_000;
/** Somebody waits meanwhile, so it must not take long. One list of stolen passwords has some 60 KiB. */
const fetchLimits = { timeoutMs: 2_000, maxBodyBytes: 1024 * 1024 };

function secretKeysOf(environment: Environment) {
  if (environment.secretKeys !== null) return environment.secretKeys;
  if (environment.databaseUrl === null) return loadOrCreateSecretKey(environment.dataDir);
  throw new ConfigurationError([{ path: 'SECRET_KEY', message: 'is required with DATABASE_URL' }]);
}

/** Opens the database and everything that needs no request. Neither migrates nor applies configuration. */
export async function createContext(environment: Environment, overrides: Overrides = {}): Promise<Context> {
  const { clock = systemClock, random = systemRandom } = overrides;
  const { log, tracer } = await openLog(environment, overrides);
  const { demo, issuer } = environment;
  const onStatement = statementSpans(tracer);
  const storage = await openStorage({ ...environment, migrations, clock, log, onStatement });
  const httpClient = overrides.httpClient ?? createHttpClient(fetchLimits);
  const close = async () => {
    await httpClient.close();
    await storage.close();
    await tracer?.close();
  };
  try {
    const crypto = createCrypto(secretKeysOf(environment), random);
    const references = createReferences(processVariables);
    const passwords = tracedPasswords(createPasswords(), tracer);
    const metrics = createMetrics({ hashing: passwords.load, pool: storage.pool });
    const isBreached = createBreachCheck({
      get: httpClient.get,
      rules: () => settings.get<PasswordsDocument>('passwords'),
      log,
    });
    const users = createUsers({ crypto, passwords, clock, log, random, demo, isBreached });
    const { revisions } = storage;
    const audit = createAudit(random);
    const parts = { environment, crypto, references, passwords, users, random, audit, revisions };
    const sections = sectionsOf(parts);
    const configuration = createConfiguration({
      ...{ sections, storage, references, clock, log },
      onApplied: (tx: Tx, changes: Change[], now: Date) =>
        audit.record(tx, now, [{ name: 'config.applied', data: { changes: changes.length } }]),
    });
    const settings = createSettings({ sections, storage, log });
    const keys = createKeys({ crypto, clock, storage, settings, audit });
    const apps = createApps({ revisions, issuer, demo, builtIn: builtInApps({ issuer, settings }) });
    return {
      ...{ environment, clock, random, log, metrics, tracer },
      ...{
        storage,
        crypto,
        references,
        users,
        settings,
        configuration,
        httpClient,
        keys,
        describeApp: (id: string) => describeApp({ db: storage.db, apps, issuer }, id),
        messages: createMessages({ storage, issuer, apps: () => apps.list(storage.db), localesDir }),
        providers: createProviderDesk({ storage, crypto, references, clock, log, audit, issuer }),
        flows: createFlowDeskOf({ storage, random, clock, audit, apps, users, settings, configuration }),
        people: createDesk({ storage, crypto, clock, random, audit, users, settings, issuer, apps }),
        sealed: createSealed(storage, crypto),
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The web server without any feature on it. */
function openHttp({ crypto, environment, log, settings, tracer }: Context): ReturnType<typeof createHttp> {
  const { issuer } = environment;
  const trustedProxies = settings.get<string[]>('trustedProxies');
  return createHttp({
    ...{ issuer, crypto, log, viewsDir, trustedProxies },
    texts: featureTexts,
    hasAccount: () => hasAccount({ settings }),
    helpContact: () => helpContactOf({ settings }),
    countryHeader: () => settings.get<CountryDocument>('country').header || null,
    hooks: tracer === null ? undefined : (app) => traceRequests(app, tracer, { trustedProxies, issuer }),
    name: () => settings.get<string>('name'),
    isUnavailable: isDatabaseUnavailable,
  });
}

/** Builds the gateway on a migrated database. */
export async function createApp(context: Context): Promise<App> {
  const { environment, clock, random, log, tracer, storage, crypto, users, settings } = context;
  const { issuer, demo } = environment;
  await settings.load();
  await context.keys.keepUp();
  const audit = countedAudit(createAudit(random), context.metrics, tracer);
  const builtIn = builtInApps({ issuer, settings });
  const apps = createApps({ revisions: storage.revisions, issuer, demo, builtIn });
  const { guard, close: closeGuard } = createGuarding(context);
  const sessions = createSessions({
    ...{ settings, random, audit },
    ended: (tx, gone) => oidc.sessionsEnded(tx, gone),
  });
  const devices = createDevices({ crypto, random, audit });
  const appNotices = createFormPoster({ timeoutMs: noticeMs });
  const delivery = await createDelivering(context, { audit, guard });
  const otp = createOtp({ crypto, random, delivery });
  const { app: server, http, checkTemplates } = await openHttp(context);
  const parts = { ...{ storage, crypto, clock, random, log, http, users, apps, guard }, delivery, otp };
  const notices = createNoticesOf({ ...parts, settings, issuer });
  const more = { ...parts, sessions, devices, audit, settings, issuer, notices };
  const accounts = createAccounts({ ...more, flows: () => flows });
  const { recovery } = accounts;
  const flows = createFlows({ ...more, recovery, builtIn: builtInFlows(delivery) });
  const oidc = await createOidc({
    ...{ issuer, storage, crypto, clock, log, http, apps, users, sessions, flows },
    keys: createSigningKeys({ crypto, clock }),
    fetchDocument: context.httpClient.get,
    sendForm: appNotices.post,
    sessionLifeMs: () => sessionLifeMs(settings),
  });

  const { plugin: links, ...ownData } = accounts;
  const account = createSelfService({ ...more, ...ownData, flows });

  const plugins = [flows.plugin, oidc.plugin, links, account.plugin];
  await mountRoutes(context, { server, http, delivery, plugins });
  storage.sweep(...sweepsOf(settings));
  return {
    server,
    delivery,
    async start() {
      delivery.start();
      await checkTemplates();
      await storage.start();
    },
    async close() {
      await closeServer(server);
      await delivery.close();
      await Promise.all([appNotices.close(), closeGuard()]);
    },
  };
}
