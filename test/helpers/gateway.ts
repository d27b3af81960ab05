import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { readEnvironment } from '../../src/config/index.ts';
import { type SmsGateway, startSmsGateway } from '../../src/demo/index.ts';
import { type Running, serve } from '../../src/server.ts';
import { openTestDatabase } from './database.ts';
import { plantedFolder } from './embedded-seed.ts';
import { freePort } from './port.ts';
import { type Files, standard } from './standard.ts';

export { freePort } from './port.ts';
export { alice, type Files, generousGuard, shop, standard } from './standard.ts';

/** Everything that a test may say about its gateway; the rest is {@link standard}. */
export interface GatewayOptions {
  /** Null: the embedded database, migrated, in a folder of its own. */
  databaseUrl: string | null;
  files?: Partial<Files>;
  /** Further environment variables. */
  env?: Record<string, string>;
  /** Where the log goes; default: nowhere. */
  logTo?: (line: string) => void;
}

export interface TestGateway {
  issuer: string;
  running: Running;
  /** The local SMS gateway that the provider `main` sends to. */
  sms: SmsGateway;
  env: Record<string, string>;
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
  const dataDir =
    options.databaseUrl === null ? await plantedFolder() : mkdtempSync(join(tmpdir(), 'sallyport-data-'));
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
