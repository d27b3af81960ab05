/**
 * `node test/upgrade/make-fixture.ts`: keeps what a gateway of this version leaves in its database, so that every later
 * one is tested on it. Run it once, when a migration is released; a landed file is never made again.
 *
 * Writes `<last migration>.jsonl` (the database) and `<last migration>.held.json` (what people and applications held)
 * into test/fixtures/schema. All secrets in them are those of the tests.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import { stringify } from 'yaml';
import { readEnvironment } from '../../src/config/index.ts';
import { createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import { serve } from '../../src/server.ts';
import { writeBackup } from '../../src/storage/index.ts';
import { freePort } from '../helpers/gateway.ts';
import { createTestApp, openLogin, passPassword, signIn } from '../helpers/relying-party.ts';
import { fixtureFiles, fixtures, type Held, held, smsVariable } from './fixture.ts';
import { plantRows } from './planted-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-fixture-'));
const sms = await startSmsGateway();
process.env[smsVariable] = sms.url;
for (const [name, content] of Object.entries(fixtureFiles())) {
  writeFileSync(join(folder, `${name}.yaml`), stringify(name === 'gateway' ? content : { [name]: content }));
}
const env = {
  PORT: String(await freePort()),
  DATA_DIR: join(folder, 'data'),
  CONFIG_DIR: folder,
  SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
};
const running = await serve(readEnvironment(env), { logDestination: { write: () => undefined } });
const gateway = { issuer: running.issuer, running, sms, env };
const { user, app } = held;
const testApp = await createTestApp(gateway, app);
const refresh = async (token: string | undefined) =>
  (await client.refreshTokenGrant(testApp.configuration, token ?? '')).refresh_token ?? '';

// A session with a family of refresh tokens, one of them replaced.
const browser = createBrowser();
const { tokens } = await signIn(gateway, testApp, user, { scope: 'openid profile offline_access' }, browser);
const refreshToken = await refresh(tokens.refresh_token);

// A session that ended, of which its application has not heard yet.
const leaving = createBrowser();
const left = await signIn(gateway, testApp, user, {}, leaving);
const question = await leaving.open(
  client.buildEndSessionUrl(testApp.configuration, { id_token_hint: left.tokens.id_token ?? '' }).href,
);
await leaving.submit(question, { logout: 'yes' });

// A login with a backup code, after a wrong one.
const [usedBackupCode = '', backupCode = ''] = user.backupCodes;
const other = await passPassword(testApp, await openLogin(testApp), user);
const choice = await other.browser.submit(other.page, { action: 'choose:backup-code' });
const wrong = await other.browser.submit(choice, { code: 'XXXXX-XXXXX' });
const done = await other.browser.submit(wrong, { code: usedBackupCode }, testApp.isCallback);
if (!testApp.isCallback(done.url)) throw new Error(`the backup code was not taken: ${done.html}`);

// A login that waits for its code, which went to the simulator.
await sms.close();
await passPassword(testApp, await openLogin(testApp), user);
// The message is sent after the answer.
const { db } = running.context.storage;
for (let tries = 0; tries < 100; tries += 1) {
  const open = await db.selectFrom('messages').select('id').where('final_at', 'is', null).execute();
  if (open.length === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}

const person = await running.context.users.findByIdentifier(db, user.username);
if (person === undefined) throw new Error(`there is no ${user.username}`);
await plantRows(running.context, person);

const cookie = 'sp-session';
const value = browser.cookie(cookie);
if (value === undefined) throw new Error('no session cookie');
const result: Held = {
  takenAt: new Date().toISOString(),
  user: { username: user.username, password: user.password, phone: user.phone },
  ...{ backupCode, usedBackupCode, app, refreshToken, usedRefreshToken: tokens.refresh_token ?? '' },
  session: { cookie, value },
};
await running.context.storage.snapshot(async (snapshot) => {
  const name = snapshot.migrations.at(-1) ?? '';
  const empty = snapshot.tables.filter(({ count }) => count === 0);
  if (empty.length > 0) throw new Error(`no rows in ${empty.map((table) => table.name).join(', ')}`);
  await writeBackup(join(fixtures, `${name}.jsonl`), snapshot);
  writeFileSync(join(fixtures, `${name}.held.json`), `${JSON.stringify(result, null, 2)}\n`);
  console.log(`wrote ${name}`);
});
await running.close();
rmSync(folder, { recursive: true, force: true });
