import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import type { Test } from 'tap';
import { migrations } from '../../migrations/index.ts';
import { readEnvironment } from '../../src/config/index.ts';
import { startSmsGateway } from '../../src/demo/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { serve } from '../../src/server.ts';
import { openStorage } from '../../src/storage/index.ts';
import type { Snapshot, Storage } from '../../src/storage/types.ts';
import { openTestDatabase } from '../helpers/database.ts';
import { plantedFolder } from '../helpers/embedded-seed.ts';
import { freePort, type TestGateway } from '../helpers/gateway.ts';
import { silent } from '../helpers/log.ts';
import { createTestApp, openLogin, passPassword } from '../helpers/relying-party.ts';
import { held, smsVariable } from './fixture.ts';

export const secretKey = Buffer.alloc(32, 7).toString('base64');

export function temporary(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-upgrade-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Where a database without tables is: what a gateway needs in its environment to use it. */
export interface Place {
  DATA_DIR: string;
  DATABASE_URL?: string;
}

/** A folder that is not there yet. */
export const newFolder = (t: Test): Place => ({ DATA_DIR: join(temporary(t), 'data') });

/** A new database of either kind. */
export async function emptyPlace(t: Test, kind: Storage['kind']): Promise<Place> {
  if (kind === 'embedded') {
    const folder = await plantedFolder('blank');
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    return { DATA_DIR: folder };
  }
  const database = await openTestDatabase('postgres', { migrated: false });
  t.teardown(() => database.close());
  return { ...newFolder(t), DATABASE_URL: database.url ?? '' };
}

export async function withStorage<T>(place: Place, work: (storage: Storage) => Promise<T>): Promise<T> {
  const { DATA_DIR: dataDir, DATABASE_URL: databaseUrl = null } = place;
  const storage = await openStorage({ databaseUrl, dataDir, migrations, clock: systemClock, log: silent });
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

/** Starts a gateway on what a database holds, with a local SMS gateway; both end with the test, or before. */
export async function startOn(t: Test, place: Place, env: Record<string, string> = {}) {
  const sms = await startSmsGateway();
  process.env[smsVariable] = sms.url;
  const all = {
    ...{ NODE_ENV: 'production', PORT: String(await freePort()), LOG_LEVEL: 'silent' },
    ...{ SECRET_KEY: secretKey, ...place, ...env },
  };
  const running = await serve(readEnvironment(all)).catch(async (error: unknown) => {
    await sms.close();
    throw error;
  });
  let closed: Promise<unknown> | undefined;
  const close = async () => {
    closed ??= Promise.all([running.close(), sms.close()]);
    await closed;
  };
  t.teardown(close);
  const gateway: TestGateway = { issuer: running.issuer, running, sms, env: all };
  return { ...gateway, close, app: await createTestApp(gateway, held.app) };
}

type Started = Awaited<ReturnType<typeof startOn>>;

/** Password, then a backup code: true when that led back to the application. */
export async function backupCodeWorks({ app }: Started, code: string): Promise<boolean> {
  const start = await passPassword(app, await openLogin(app), held.user);
  const page =
    /name="code"[^>]*/.test(start.page.html) && !/choose:backup-code/.test(start.page.html)
      ? start.page
      : await start.browser.submit(start.page, { action: 'choose:backup-code' });
  const done = await start.browser.submit(page, { code }, app.isCallback);
  return app.isCallback(done.url);
}

export const refresh = ({ app }: Started, token: string) =>
  client.refreshTokenGrant(app.configuration, token);

/** Everything in it, as text. */
export async function everything(snapshot: Snapshot): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const table of snapshot.tables) {
    const lines: string[] = [];
    for await (const rows of table.rows()) lines.push(...rows);
    all[table.name] = lines.sort();
  }
  return all;
}
