import cluster from 'node:cluster';
import { join, resolve } from 'node:path';
import { type App, type Context, createApp, createContext, type Overrides } from './app.ts';
import { configurationCommands, demoCredentials, processVariables, startControl } from './config/index.ts';
import type { Environment } from './config/types.ts';
import { keyCommands, SecretsUnreadable } from './crypto/index.ts';
import { messageCommands, providerCommands } from './delivery/index.ts';
import { examineContext } from './doctor.ts';
import { flowCommands } from './flows/index.ts';
import { whenReadable } from './holding.ts';
import { appCommands } from './oidc/index.ts';
import { drain } from './operations.ts';
import { peopleCommands } from './people/index.ts';
import { checkClock } from './storage/index.ts';
import { superviseWorkers } from './workers.ts';

/** A gateway that listens. */
export interface Running {
  /** The public origin. */
  issuer: string;
  context: Context;
  app: App;
  /** Takes no connection any more, and gives those that are open a moment to bring what is on its way. */
  drain(): Promise<void>;
  /** Lets running requests end, then closes everything. */
  close(): Promise<void>;
}

const demoConfig = resolve(import.meta.dirname, '../config/demo');
const demoShopPort = 3001;

/** For commands while this process holds the embedded database; only its holder gets here. */
async function openControl(context: Context) {
  const { environment, configuration, keys, log } = context;
  const socketPath = join(environment.dataDir, 'control.sock');
  const commands = {
    ...configurationCommands(configuration),
    ...keyCommands(keys),
    ...appCommands(context.describeApp),
    ...providerCommands(context.providers),
    ...messageCommands(context.messages),
    ...flowCommands(context.flows),
    ...peopleCommands(context.people),
    doctor: () => examineContext(context),
  };
  try {
    return await startControl({ socketPath, commands });
  } catch (err) {
    // Paths of sockets end at 107 bytes (unix(7)). The gateway itself needs none.
    log.warn({ err, socketPath }, 'commands will not reach this server: its control socket cannot be made');
    return null;
  }
}

async function listen(
  context: Context,
  listening: () => void,
): Promise<{ app: App; close(): Promise<void> }> {
  const { environment, storage, log } = context;
  const { port, host, dataDir, databaseUrl } = environment;
  const app = await createApp(context);
  if (app.delivery.simulatorConfigured()) {
    log.warn('a simulator is configured: its messages are shown at /simulator and reach nobody');
  }
  const embedded = databaseUrl === null && !dataDir.includes('://');
  const control = embedded ? await openControl(context) : null;
  const close = async () => {
    await control?.close();
    await app.close();
  };
  try {
    await app.server.listen({ port, host });
    listening();
    await app.start();
  } catch (error) {
    await close();
    throw error;
  }
  log.info({ issuer: environment.issuer.origin, database: storage.kind }, 'ready');
  return { app, close };
}

/**
 * Starts a gateway: migrates, applies the files to an empty database, listens. Throws when anything stands in the
 * way, and leaves nothing open then. `listening` is called as soon as there may be requests.
 */
export async function serve(
  environment: Environment,
  overrides: Overrides = {},
  listening = () => {},
): Promise<Running> {
  const context = await createContext(environment, { ...overrides, traced: true });
  try {
    const { storage, configuration, clock, log } = context;
    await checkClock(storage.db, clock, log);
    const applied = await storage.migrate();
    if (applied.length > 0) log.info({ applied }, 'migrated');
    const unreadable = await context.sealed.unreadable();
    if (unreadable !== null) throw new SecretsUnreadable(unreadable);
    const folder = environment.configDir ?? (environment.demo ? demoConfig : null);
    if (folder !== null) await configuration.applyToEmpty(folder);
    const opened = await listen(context, listening);
    return {
      issuer: environment.issuer.origin,
      context,
      app: opened.app,
      drain: () => drain(opened.app.server.server),
      async close() {
        await opened.close();
        await context.close();
      },
    };
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** How long a stop may take before the process ends as it is: orchestrators kill after ten seconds. */
const stopLimitMs = 9_800;

/** What `sallyport serve` runs: a gateway until the process is told to stop, with the demo's shop beside it. */
export async function serveProcess(environment: Environment): Promise<void> {
  if (environment.workers > 1 && cluster.isPrimary) return superviseWorkers(environment);
  const open: { close(): Promise<void> }[] = [];
  const state: Starting = { listening: false, running: Promise.withResolvers() };
  stopWhenTold(state, open);
  const listening = () => {
    state.listening = true;
  };
  const running = await whenReadable(environment, () => serve(environment, {}, listening));
  open.push(running);
  state.running.resolve(running);
  await running.context.metrics.observeProcess();
  if (environment.demo && environment.configDir === null) open.unshift(await startShop(environment));
}

interface Starting {
  /** There may be requests. */
  listening: boolean;
  running: PromiseWithResolvers<Running>;
}

/**
 * The first signal lets what is under way end, the second ends at once. Set up before the start: as the first process
 * of a container, a program that handles no signal yet is deaf to them.
 */
function stopWhenTold(state: Starting, open: { close(): Promise<void> }[]): void {
  let stopping = false;
  const stop = async (reason: string) => {
    if (!state.listening) process.exit(0);
    // The primary decides about the second signal; it reaches workers of a group too.
    if (stopping && cluster.isWorker) return;
    if (stopping) process.exit(1);
    stopping = true;
    const cut = setTimeout(() => {
      process.stderr.write('something did not end in time: it is cut off\n');
      process.exit(1);
    }, stopLimitMs);
    cut.unref();
    const running = await state.running.promise;
    running.context.log.info({ reason }, 'stopping');
    await running.drain();
    for (const part of open) await part.close();
    // A worker's channel to its primary would keep it.
    if (cluster.isWorker) process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, (name) => void stop(name));
}

async function startShop(environment: Environment) {
  // Loaded only here: a real gateway neither has nor needs the shop's library.
  const { banner, startRelyingParty } = await import('./demo/index.ts');
  const simulator = new URL('/simulator', environment.issuer).href;
  const shop = await startRelyingParty({
    issuer: environment.issuer,
    clientId: 'demo-app',
    clientSecret: processVariables.DEMO_APP_SECRET ?? demoCredentials.appSecret,
    port: demoShopPort,
    hint: `Codes arrive at ${simulator}`,
  });
  const { password, backupCodes } = demoCredentials;
  process.stdout.write(banner({ shop: shop.url, simulator, password, backupCode: backupCodes[0] }));
  return shop;
}
