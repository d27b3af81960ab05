/** What is done to accounts as wholes, by commands and by their owners, on both databases. */
import { sql } from 'kysely';
import { refreshTokenGrant } from 'openid-client';
import t from 'tap';
import { personal } from '../../src/accounts.ts';
import { createAudit } from '../../src/audit/index.ts';
import { createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import { removeLocks, subjectKeys } from '../../src/guard/index.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { createLogoutNotices, endGrants } from '../../src/oidc/index.ts';
import { createAccess, deleteDue } from '../../src/people/index.ts';
import { createDevices, createSessions } from '../../src/sessions/index.ts';
import { sallyport } from '../cli/support.ts';
import {
  alice,
  eachDatabaseUrl,
  generousGuard,
  shop,
  standard,
  startGateway,
  type TestGateway,
} from '../helpers/gateway.ts';
import { createTestApp, oauthError, openLogin, signIn } from '../helpers/relying-party.ts';

const chosen = 'eleven borrowed umbrellas';
const { apps, users } = standard('');
const day = 24 * 60 * 60_000;

/** As a gateway does it, at a moment that the test says. */
function deletion({ running: { context } }: TestGateway, inMs: number) {
  const { crypto, log, settings, storage, users } = context;
  const clock = { now: () => new Date(Date.now() + inMs) };
  const parts = { crypto, settings, random: systemRandom, audit: createAudit() };
  const apps = { find: async () => ({ backchannelLogoutUri: 'https://shop.test/logout' }) };
  const ended = createLogoutNotices({ apps: apps as never, clock });
  const endAccess = createAccess({
    ...{ audit: parts.audit, endGrants, devices: createDevices(parts) },
    sessions: createSessions({ ...parts, ended }),
  });
  const guard = { subjectKey: subjectKeys(crypto), unlockAll: removeLocks };
  return { storage, clock, log, audit: parts.audit, users, guard, endAccess, personal };
}

const passwordOf = ({ password, username }: { username: string; password: string }) => ({
  username,
  password,
});

const formOf = async (url: string) => {
  const answer = await fetch(url);
  const html = await answer.text();
  const token = /name="_token" value="([^"]+)"/.exec(html)?.[1] ?? '';
  return { status: answer.status, html, token };
};

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      gateway: {
        ...{ name: 'Sallyport', guard: generousGuard },
        account: { deletion: { enabled: true, wait: '14d' } },
      },
      apps: [{ ...apps[0], backchannelLogoutUri: 'https://shop.test/logout' }],
      providers: [
        ...standard(sms.url).providers,
        { id: 'mail', channel: 'email', preset: 'simulator', simulator: {} },
      ],
      users: [
        { ...users[0], email: 'alice@example.test' },
        { username: 'bob', password: 'nine patient teapots' },
      ],
    },
  });
  const own = { ...gateway, sms };
  const { db } = gateway.running.context.storage;
  const app = await createTestApp(gateway, shop);
  const at = (path: string) => new URL(path, gateway.issuer);
  const command = (...args: string[]) => sallyport(gateway.env, ['user', ...args]);
  const offline = { scope: 'openid offline_access' };
  const refresh = (token = '') => oauthError(refreshTokenGrant(app.configuration, token));
  const named = async (name: string) =>
    db.selectFrom('audit_events').select(['subject', 'actor']).where('name', '=', name).execute();

  await t.test('switched off, and on again', async (t) => {
    const { browser, tokens } = await signIn(own, app, alice, offline);
    t.equal(await refresh((await signIn(own, app, alice, offline)).tokens.refresh_token), 'none');
    t.match(await command('disable', 'alice'), { code: 0, output: /^alice is switched off/ });
    t.match(await command('disable', 'alice'), { code: 0, output: /already/ });
    t.equal(await refresh(tokens.refresh_token), 'invalid_grant');
    const left = await db.selectFrom('sessions').select('id').where('revoked_at', 'is', null).execute();
    t.same(left, [], 'no session is left');

    t.match(await command('enable', alice.phone), { code: 0, output: 'alice can sign in again.\n' });
    t.equal(await refresh(tokens.refresh_token), 'invalid_grant', 'what was ended stays ended');
    const again = await openLogin(app, browser);
    t.match(again.page.html, /name="password"/, 'the browser has to sign in, too');
    t.match(await named('user.disabled'), [{ actor: /^cli/ }], 'on record, once');
    t.match(await command('disable', 'nobody'), { code: 1, errors: /There is no user 'nobody'/ });
  });

  await t.test('unlocked', async (t) => {
    const { crypto, users: people } = gateway.running.context;
    const key = subjectKeys(crypto)(people.normaliseIdentifier('alice'));
    const now = new Date();
    const until = new Date(now.getTime() + day);
    const row = { subject_key: key, failures: 9, consecutive: 100, level: 5, locked_until: until };
    const times = { last_failed_at: now, expires_at: until };
    await db.deleteFrom('factor_locks').execute();
    for (const factor of ['password:', 'sms-otp', 'totp']) {
      await db
        .insertInto('factor_locks')
        .values({ ...row, ...times, factor })
        .execute();
    }
    t.match(await command('unlock', 'alice'), { code: 0, output: 'alice can try again at once.\n' });
    t.same(await db.selectFrom('factor_locks').select('factor').where('subject_key', '=', key).execute(), []);
  });

  await t.test('an administrator’s reset: a link that works once', async (t) => {
    const { tokens } = await signIn(own, app, alice, offline);
    const older = /http\S+/.exec((await command('reset', 'alice')).output)?.[0] ?? '';
    const { code, output } = await command('reset', 'alice');
    const url = /http\S+/.exec(output)?.[0] ?? '';
    t.equal(code, 0);
    t.equal(await refresh(tokens.refresh_token), 'invalid_grant');
    const stored = JSON.stringify(await db.selectFrom('recovery_links').selectAll().execute());
    t.notMatch(stored, url.split('/').at(-1) ?? '', 'only its hash is kept');
    const old = await openLogin(app);
    t.match(
      (await old.browser.submit(old.page, passwordOf(alice))).html,
      /do not match/,
      'the old password is void',
    );

    t.equal((await formOf(older)).status, 410, 'the newest link is the only one');
    const page = await formOf(url);
    t.equal(page.status, 200);
    t.equal((await formOf(url)).status, 200, 'opening it changes nothing');
    const post = (password: string, token = page.token, origin = gateway.issuer) =>
      fetch(url, {
        ...{ method: 'POST', redirect: 'manual', headers: { origin } },
        body: new URLSearchParams({ _token: token, password }),
      });
    t.equal((await post(chosen, 'forged')).status, 403);
    t.equal((await post(chosen, page.token, 'https://evil.test')).status, 403);
    t.equal((await post('short')).status, 422);
    const many = await Promise.all(Array.from({ length: 16 }, (_, n) => post(`${chosen} ${n}`)));
    t.equal(many.filter(({ status }) => status === 303).length, 1, 'of sixteen at once exactly one');
    t.equal((await formOf(url)).status, 410);
    const events = await named('user.recovered');
    t.equal(events.length, 1);
    const tried = await Promise.all(
      many.map(async ({ status }, n) => {
        const login = await openLogin(app);
        const next = await login.browser.submit(login.page, {
          ...{ username: 'alice', password: `${chosen} ${n}` },
        });
        return /name="code"/.test(next.html) === (status === 303);
      }),
    );
    t.notOk(tried.includes(false), 'and its password is the one that counts');
    await sms.next(alice.phone, 5_000);
    t.match(await command('reset', 'bob'), { code: 0 });
    await command('disable', 'bob');
    t.match(await command('reset', 'bob'), { code: 1, errors: /Enable it first/ });
  });

  await t.test('one’s own data: a copy, and the end', async (t) => {
    const password = 'twelve borrowed umbrellas';
    const { url = '' } = /(?<url>http\S+)/.exec((await command('reset', 'alice')).output)?.groups ?? {};
    const { token } = await formOf(url);
    const body = new URLSearchParams({ _token: token, password });
    await fetch(url, { method: 'POST', redirect: 'manual', headers: { origin: gateway.issuer }, body });
    const person = { ...alice, password };
    const { browser } = await signIn(own, app, person, offline);
    const page = await browser.open(at('/account/data'));
    t.match(page.html, /Download the copy/);
    const post = async (path: string, fields: Record<string, string> = {}) => {
      const { html } = await browser.open(at('/account/data'));
      const _token = /name="_token" value="([^"]+)"/.exec(html)?.[1] ?? '';
      const cookie = `sp-session=${browser.cookie('sp-session')}`;
      return fetch(at(`/account/data/${path}`), {
        ...{ method: 'POST', redirect: 'manual', headers: { origin: gateway.issuer, cookie } },
        body: new URLSearchParams({ _token, ...fields }),
      });
    };
    const copy = await post('copy');
    t.match(copy.headers.get('content-disposition'), /^attachment; filename="account-.*\.json"$/);
    t.equal(copy.headers.get('cache-control'), 'no-store');
    const text = await copy.text();
    const data = JSON.parse(text);
    t.match(data, {
      profile: { username: 'alice', phone: alice.phone },
      factors: { password: {}, backupCodesLeft: alice.backupCodes.length },
      sessions: [{ signedInWith: [{ method: 'password' }, { method: 'sms-otp' }] }],
    });
    t.ok(data.activity.length > 10);
    t.notMatch(text, /argon2|cookie_?hash|password_hash/i);
    t.equal((await named('user.data_exported')).length, 1);

    t.equal((await post('delete')).status, 422, 'not by accident');
    t.equal((await post('delete', { sure: 'on' })).status, 303);
    t.match((await browser.open(at('/account/data'))).html, /will be deleted on/);
    t.equal(await deleteDue(deletion(own, 13 * day)), 0, 'not before its time');
    t.equal((await post('keep')).status, 303);
    t.equal(await deleteDue(deletion(own, 15 * day)), 0, 'its owner thought better of it');
    await post('delete', { sure: 'on' });
    const id = data.profile.id as string;
    const gone = await Promise.all([1, 2, 3].map(() => deleteDue(deletion(own, 15 * day))));
    t.equal(
      gone.reduce((sum, n) => sum + n),
      1,
      'of several instances one',
    );
    t.equal(await deleteDue(deletion(own, 15 * day)), 0);

    const { rows: tables } = await sql<{ name: string }>`select table_name::text as name
      from information_schema.tables where table_schema = current_schema()`.execute(db);
    for (const { name } of tables) {
      const { rows } = await sql`select * from ${sql.table(name)}`.execute(db);
      const kept = JSON.stringify(rows);
      t.notMatch(kept, alice.phone, `${name}: no number`);
      t.notMatch(kept, 'alice@example.test', `${name}: no address`);
      t.notMatch(kept, /"alice"/, `${name}: no name`);
      if (!['audit_events', 'logout_notices'].includes(name)) t.notOk(kept.includes(id), `${name}: no id`);
    }
    const kept = db.selectFrom('audit_events').select(['ip', 'user_agent']).where('subject', '=', id);
    const rows = await kept.execute();
    t.ok(rows.length > 10 && rows.every(({ ip, user_agent }) => ip === null && user_agent === null));
    t.equal((await named('user.deleted')).length, 1);
    t.ok((await db.selectFrom('logout_notices').select('id').execute()).length > 0, 'the app will be told');
    const after = await openLogin(app, createBrowser());
    t.match((await after.browser.submit(after.page, passwordOf(person))).html, /do not match/);
  });
});
