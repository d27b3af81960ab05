import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { readEnvironment } from '../../src/config/index.ts';
import { type SmsGateway, startSmsGateway } from '../../src/demo/index.ts';
import { type Running, serve } from '../../src/server.ts';
import { openTestDatabase } from './database.ts';

/** Everything that a test may say about its gateway; the rest is {@link standard}. */
export interface GatewayOptions {
  /** Null: the embedded database, in a folder of its own. */
  databaseUrl: string | null;
  files?: Partial<Files>;
  /** Further environment variables. */
  env?: Record<string, string>;
  /** Where the log goes; default: nowhere. */
  logTo?: (line: string) => void;
}

export interface Files {
  gateway: object;
  apps: object[];
  flows: object[];
  providers: object[];
  channels?: object[];
  users: object[];
}

export interface TestGateway {
  issuer: string;
  running: Running;
  /** The local SMS gateway that the provider `main` sends to. */
  sms: SmsGateway;
  env: Record<string, string>;
}

export const alice = {
  username: 'alice',
  password: 'seven quiet lanterns',
  phone: '+447700900123',
  backupCodes: ['KTQ7X-M3WPA', 'R9HCF-2VNDE', 'W4JYB-8TKGM'],
};

export const shop = {
  id: 'shop',
  secret: 'a-long-secret-of-the-shop-0123456789',
  redirectUri: 'http://localhost:4501/callback',
};

/** Limits that many sign-ins within a second from one address and to one number do not meet. */
export const generousGuard = {
  sends: { perNumber: [], perUser: [], perAddress: [], perNetwork: [], perPrefix: [] },
  passwords: { perAccount: 100, perDevice: 100, perAddress: 100_000 },
};

/** A configuration with one app, one flow, one provider that speaks to `smsUrl`, and Alice. */
export function standard(smsUrl: string): Files {
  return {
    gateway: { name: 'Sallyport', guard: generousGuard },
    apps: [
      {
        id: shop.id,
        name: 'Shop',
        secret: shop.secret,
        redirectUris: [shop.redirectUri],
        postLogoutRedirectUris: ['http://localhost:4501/'],
        firstParty: true,
        flow: 'password-sms',
      },
    ],
    flows: [
      {
        id: 'password-sms',
        name: 'Password, then a code by SMS',
        steps: [
          { id: 'first', options: ['password'] },
          { id: 'second', options: [{ 'sms-otp': {} }, 'backup-code'], userMayDisable: true },
        ],
      },
    ],
    providers: [
      {
        id: 'main',
        channel: 'sms',
        preset: 'http',
        http: {
          method: 'POST',
          url: smsUrl,
          headers: { 'Content-Type': 'application/json' },
          payload: '{"to":$ctx.num,"text":$ctx.msg}',
          allowPrivateNetwork: true,
        },
      },
    ],
    users: [{ ...alice, name: 'Alice', email: 'alice@example.test' }],
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    // Below those that the system gives to outgoing connections: it may give out one of them before we listen there.
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Writes a configuration folder; it goes with the test. */
export function writeConfig(t: Test, files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { gateway, ...lists } = files;
  writeFileSync(join(folder, 'gateway.yaml'), stringify(gateway));
  for (const [name, list] of Object.entries(lists)) {
    writeFileSync(join(folder, `${name}.yaml`), stringify({ [name]: list }));
  }
  return folder;
}

/** What a gateway of its own needs in its environment: a free port, a folder, a key. */
export async function testEnvironment(
  t: Test,
  options: GatewayOptions,
  files: Files,
): Promise<Record<string, string>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-data-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  return {
    PORT: String(await freePort()),
    DATA_DIR: dataDir,
    CONFIG_DIR: writeConfig(t, files),
    SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    ...(options.databaseUrl === null ? {} : { DATABASE_URL: options.databaseUrl }),
    ...options.env,
  };
}

/** Starts a whole gateway with its local SMS gateway; both end with the test. */
export async function startGateway(t: Test, options: GatewayOptions): Promise<TestGateway> {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const env = await testEnvironment(t, options, { ...standard(sms.url), ...options.files });
  const logTo = options.logTo ?? (() => undefined);
  const running = await serve(readEnvironment(env), { logDestination: { write: logTo } });
  t.teardown(() => running.close());
  return { issuer: running.issuer, running, sms, env };
}

/** Runs `work` as a subtest on PostgreSQL (a database of its own) and on the embedded one (null). */
export async function eachDatabaseUrl(
  t: Test,
  work: (t: Test, databaseUrl: string | null) => Promise<void>,
): Promise<void> {
  await t.test('postgres', async (t) => work(t, await postgresUrl(t)));
  await t.test('embedded', async (t) => work(t, null));
}

/** A new PostgreSQL database; dropped when the test ends, after what the test started has been closed. */
export async function postgresUrl(t: Test): Promise<string> {
  const database = await openTestDatabase('postgres');
  t.teardown(() => database.close());
  if (database.url === null) throw new Error('no PostgreSQL');
  return database.url;
}
