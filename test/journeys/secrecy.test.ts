import { sql } from 'kysely';
import * as client from 'openid-client';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { alice, eachDatabaseUrl, shop, startGateway, type TestGateway } from '../helpers/gateway.ts';
import { createTestApp, openLogin, passPassword, signIn } from '../helpers/relying-party.ts';

/** Every row of every table as text, by table. */
async function dump(gateway: TestGateway): Promise<Map<string, string>> {
  const { db } = gateway.running.context.storage;
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema in ('public', 'pgboss') and table_type = 'BASE TABLE'`.execute(db);
  const rows = new Map<string, string>();
  for (const { name } of tables.rows) {
    const schema = await sql<{ schema: string }>`
      select table_schema as schema from information_schema.tables where table_name = ${name} limit 1`.execute(
      db,
    );
    const found = await sql<{ line: string }>`
      select row_to_json(r)::text as line from ${sql.table(`${schema.rows[0]?.schema}.${name}`)} r`.execute(
      db,
    );
    rows.set(name, found.rows.map(({ line }) => line).join('\n'));
  }
  return rows;
}

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const lines: string[] = [];
  const gateway = await startGateway(t, {
    databaseUrl,
    logTo: (line) => lines.push(line),
    env: { LOG_LEVEL: 'trace' },
  });
  const app = await createTestApp(gateway, shop);
  const secrets = new Map<string, string>([
    ['password', alice.password],
    ['app secret', shop.secret],
  ]);
  const keep = (name: string, value: string | undefined) => {
    t.ok(value !== undefined && value.length >= 4, `${name} is known`);
    secrets.set(name, value ?? '');
  };

  // Everything that has a secret, once: code, backup code, wrong password, tokens, refresh, sign-out.
  const first = await signIn(gateway, app, alice, {
    scope: 'openid profile offline_access',
    prompt: 'consent',
  });
  keep('code', /#(\S+)$/.exec(gateway.sms.received.at(-1)?.text ?? '')?.[1]);
  keep('authorization code', first.callback.searchParams.get('code') ?? undefined);
  keep('access token', first.tokens.access_token);
  keep('ID token', first.tokens.id_token);
  keep('refresh token', first.tokens.refresh_token);
  keep('session cookie', first.browser.cookie('sp-session'));
  const refreshed = await client.refreshTokenGrant(app.configuration, first.tokens.refresh_token ?? '');
  keep('second refresh token', refreshed.refresh_token);
  await client.fetchUserInfo(app.configuration, refreshed.access_token, client.skipSubjectCheck);

  const browser = createBrowser();
  const start = await openLogin(app, browser);
  keep('login cookie', browser.cookie('sp-login'));
  const wrong = await browser.submit(start.page, {
    username: 'alice',
    password: 'a wrong but secret password',
  });
  secrets.set('wrong password', 'a wrong but secret password');
  const second = await passPassword(app, { ...start, page: wrong }, alice);
  const choice = await browser.submit(second.page, { action: 'choose:backup-code' });
  const backupCode = alice.backupCodes[0] ?? '';
  const done = await browser.submit(choice, { code: backupCode }, app.isCallback);
  t.ok(app.isCallback(done.url));
  secrets.set('backup code', backupCode);
  secrets.set('backup code without hyphen', backupCode.replace('-', ''));

  const tables = await dump(gateway);
  t.ok(tables.size >= 15, `${tables.size} tables were searched`);
  t.ok(lines.length > 10, `${lines.length} log lines were searched`);
  const log = lines.join('\n');

  for (const [name, value] of secrets) {
    // A code's digits may stand inside a longer number by chance; that is no leak.
    const found = (text: string) =>
      new RegExp(`(?<!\\d)${value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\d)`).test(text);
    t.notOk(found(log), `no ${name} in the log`);
    for (const [table, rows] of tables) t.notOk(found(rows), `no ${name} in ${table}`);
  }
  for (const form of [alice.phone, alice.phone.slice(1)]) {
    t.notOk(log.includes(form), 'no whole phone number in the log');
    for (const [table, rows] of tables)
      if (table !== 'users') t.notOk(rows.includes(form), `no phone number in ${table}`);
  }
  t.ok(tables.get('users')?.includes(alice.phone), 'the search finds what is there');
});
