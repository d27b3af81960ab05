import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { demoCredentials, readEnvironment } from '../config/index.ts';
import type { Environment } from '../config/types.ts';
import type { CommandDeps } from './command.ts';
import { CommandFailure } from './command.ts';

const demoConfig = resolve(import.meta.dirname, '../../config/demo');
const demoPhone = '+15005550006';

export const demoCommand = (deps: CommandDeps): Command =>
  new Command('demo')
    .description('the demonstration: a gateway, a small shop and a phone on a page')
    .option('--once', 'without a browser: sign in over HTTP on free ports, show what is refused, and end')
    .action(async ({ once }: { once?: true }) => {
      const environment = readEnvironment(deps.variables);
      if (!environment.demo) {
        throw new CommandFailure(
          'The demo runs only without DATABASE_URL, CONFIG_DIR and NODE_ENV=production.',
        );
      }
      if (once) await runOnce(deps);
      else await deps.serve(environment);
    });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** The demo's files, but with messages that leave for a local gateway, and no wait between them. */
function writeConfig(folder: string, smsUrl: string): void {
  cpSync(demoConfig, folder, { recursive: true });
  const provider = {
    id: 'local',
    channel: 'sms',
    preset: 'http',
    http: {
      url: smsUrl,
      headers: { 'Content-Type': 'application/json' },
      payload: '{"to":$ctx.num,"text":$ctx.msg}',
      allowPrivateNetwork: true,
    },
  };
  const guard = { sends: { perNumber: [], perUser: [], perAddress: [] } };
  writeFileSync(join(folder, 'providers.yaml'), JSON.stringify({ providers: [provider] }));
  writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify({ name: 'Sallyport demo', guard }));
}

async function environmentIn(folder: string, variables: CommandDeps['variables']): Promise<Environment> {
  const environment = readEnvironment({
    ...variables,
    PORT: String(await freePort()),
    ISSUER: undefined,
    HOST: undefined,
    DATA_DIR: join(folder, 'data'),
    LOG_LEVEL: variables.LOG_LEVEL ?? 'error',
  });
  return { ...environment, configDir: join(folder, 'config') };
}

async function runOnce(deps: CommandDeps): Promise<void> {
  const { startRelyingParty, startSmsGateway, walkThrough } = await import('../demo/index.ts');
  const started = performance.now();
  const step = (sentence: string) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    deps.write(`ok  ${seconds.padStart(5)} s  ${sentence}\n`);
  };
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'));
  const open: { close(): Promise<void> }[] = [];
  try {
    const gateway = await startSmsGateway();
    open.push(gateway);
    const environment = await environmentIn(folder, deps.variables);
    const client = { id: 'demo-app', secret: demoCredentials.appSecret };
    const shop = await startRelyingParty({
      issuer: environment.issuer,
      clientId: client.id,
      clientSecret: client.secret,
      port: 0,
    });
    open.push(shop);
    writeConfig(join(folder, 'config'), gateway.url);
    deps.variables.DEMO_SHOP_URL = shop.url;
    open.push(await deps.start(environment));
    step(`gateway ${environment.issuer.origin}, shop ${shop.url} and a local SMS gateway are running`);
    await walkThrough({
      issuer: environment.issuer,
      shop: shop.url,
      client: { ...client, redirectUri: `${shop.url}/callback` },
      user: {
        username: 'demo',
        password: demoCredentials.password,
        phone: demoPhone,
        backupCode: demoCredentials.backupCodes[0],
      },
      gateway,
      step,
    });
    deps.write('Everything held.\n');
  } catch (error) {
    throw new CommandFailure(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    for (const one of open.reverse()) await one.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
