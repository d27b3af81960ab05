/** What is under way while access to the account ends: it comes to nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import t from 'tap';
import { endLogins } from '../../src/flows/index.ts';
import type { Db, Storage, Tx } from '../../src/storage/types.ts';
import { openAccounts, press, secretIn } from '../account/support.ts';
import { ada, heading, newestCode, openWorld } from '../flows/harness.ts';
import { codeAt } from '../flows/totp-support.ts';
import { postgresOnly } from '../helpers/database.ts';
import { postgresUrl, standard } from '../helpers/gateway.ts';

const { apps } = standard('');
const password = 'seven quiet lanterns';

/** Comes back once so many statements of this database wait for a lock. */
async function waiting(db: Db, count: number): Promise<void> {
  for (let turns = 0; turns < 1500; turns += 1) {
    const { rows } = await sql<{ n: number }>`select count(*)::integer as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    if ((rows[0]?.n ?? 0) >= count) return;
    await delay(10);
  }
  throw new Error(`not ${count} statements are waiting`);
}

/** Holds what `lock` locks until `meanwhile` has brought everybody there. */
async function holding<Lock, Answer>(
  { transaction }: Pick<Storage, 'transaction'>,
  lock: (tx: Tx) => Promise<Lock>,
  meanwhile: (tx: Tx) => Promise<() => Promise<Answer>>,
): Promise<Answer> {
  const then = await transaction(async (tx) => {
    await lock(tx);
    return meanwhile(tx);
  });
  return then();
}

t.test('a form that was sent while an administrator resets the account', async (t) => {
  const steps = [
    { id: 'first', options: ['password'] },
    { id: 'second', options: ['sms-otp', 'totp', 'backup-code'], userMayDisable: true },
  ];
  const names = ['password', 'phone', 'switch', 'app', 'codes', 'deletion'];
  const users = names.map((username, n) => ({ username, password, phone: `+44770090013${n}` }));
  const world = await openAccounts(t, await postgresUrl(t), {
    gateway: {
      ...standard('').gateway,
      account: { deletion: { enabled: true, wait: '14d' } },
    },
    apps: [{ ...apps[0], flow: 'main' }],
    flows: [{ id: 'main', name: 'Main', steps }],
    users,
  });
  const { storage, people } = world.gateway.running.context;
  const { db } = storage;
  for (const user of users) {
    const { username } = user;
    const path = { password: 'password', phone: 'phone', switch: 'code', app: 'authenticator' }[username];
    const { browser, page } = await world.enter(
      `/account/${path ?? { codes: 'backup-codes', deletion: 'data' }[username]}`,
      user,
    );
    const send = async () => {
      switch (username) {
        case 'password': {
          const typed = { oldPassword: password, newPassword: 'eleven borrowed umbrellas' };
          return () => press(browser, page, '/account/password', typed);
        }
        case 'phone': {
          const asked = await press(browser, page, '/account/phone', { phone: '+447700900170' });
          const code = await world.code('+447700900170');
          return () => press(browser, asked, '/account/phone/code', { code });
        }
        case 'switch':
          return () => press(browser, page, '/account/code/off');
        case 'app': {
          const scan = await press(browser, page, '/account/authenticator');
          const code = codeAt(secretIn(scan), new Date());
          return () => press(browser, scan, '/account/authenticator/new', { code });
        }
        case 'codes':
          return () => press(browser, page, '/account/backup-codes');
        default:
          return () => press(browser, page, '/account/data/delete', { sure: 'on' });
      }
    };
    const sending = await send();
    const { id } = await world.userOf(username);
    const { answer } = await holding(
      storage,
      (tx) => world.users.lock(tx, id),
      async () => {
        const reset = people.reset({ name: username, by: 'test' });
        await waiting(db, 1);
        const sent = sending();
        await waiting(db, 2);
        return async () => ({ reset: await reset, answer: await sent });
      },
    );
    t.match(answer.url.pathname, /^\/login/, `${username}: it has to sign in`);
    const left = await sql`select password_hash, phone, code_off, delete_at,
        (select count(*) from credentials where user_id = users.id and confirmed_at is not null)::integer as apps,
        (select count(*) from backup_codes where user_id = users.id)::integer as codes,
        (select count(*) from sessions where user_id = users.id and revoked_at is null)::integer as sessions
      from users where id = ${id}`.execute(db);
    const none = { password_hash: null, code_off: false, delete_at: null, apps: 0, codes: 0, sessions: 0 };
    t.same(left.rows, [{ ...none, phone: user.phone }], username);
  }
});

const credentials = { username: 'ada', password: ada.password ?? '' };

/** A session by the password alone, and a login that has only to type the code that makes it stronger. */
async function rise(world: Awaited<ReturnType<typeof openWorld>>, storage: Storage) {
  const first = await world.browser({ continuationKey: 'first' });
  await first.submit(credentials);
  const { result } = (await world.flows.findByContinuation(storage.db, 'first')) ?? {};
  const id = result?.sessionId ?? '';
  const session = await world.sessions.find(storage.db, id, world.clock.now());
  await world.publish([
    { id: 'first', options: ['password'] },
    { id: 'second', options: ['sms-otp'] },
  ]);
  const rising = await world.browser({ session, continuationKey: 'rising' });
  await rising.submit({ action: 'send' });
  const code = newestCode(world);
  return { code, id, rising };
}

t.test('a session that ends while a login counts on it', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, [{ id: 'first', options: ['password'] }]);
    await world.addUser();
    const { code, id, rising } = await rise(world, storage);
    const answer = await holding(
      storage,
      (tx) => world.sessions.revoke(tx, id, 'by-user', world.clock.now()),
      async () => {
        const sent = rising.submit({ code });
        await waiting(storage.db, 1);
        return () => sent;
      },
    );
    t.equal(heading(answer), 'Enter code', 'nothing has happened');
    const again = await rising.submit({ code });
    t.equal(heading(again), 'Enter your password', 'what the session stood for is asked again');
    const login = await world.flows.findByContinuation(storage.db, 'rising');
    t.match(login, { status: 'running', result: null });
    const live = storage.db.selectFrom('sessions').select('id').where('revoked_at', 'is', null);
    t.same(await live.execute(), []);
  }),
);

t.test('all access ends while a login makes a session stronger: neither waits for the other', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, [{ id: 'first', options: ['password'] }]);
    const user = await world.addUser();
    const { code, rising } = await rise(world, storage);
    const answer = await holding(
      storage,
      (tx) => endLogins(tx, user.id, null, world.clock.now()),
      async (tx) => {
        const sent = rising.post({ code });
        await waiting(storage.db, 1);
        await world.sessions.revokeAll(tx, user.id, 'disabled', world.clock.now());
        return () => sent;
      },
    );
    t.equal(answer.status, 303);
    const login = await world.flows.findByContinuation(storage.db, 'rising');
    t.match(login, { status: 'failed', result: null });
    const live = storage.db.selectFrom('sessions').select('id').where('revoked_at', 'is', null);
    t.same(await live.execute(), []);
  }),
);

t.test('a remembered browser that is forgotten while it excuses somebody', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'], remember: '30d' },
    ]);
    const user = await world.addUser();
    const first = await world.browser();
    await first.submit(credentials);
    await first.submit({ code: newestCode(world), remember: 'on' });
    const cookie = first.cookies['sp-remembered'] ?? '';
    t.match(cookie, /^rdv_/);
    world.clock.pass(60_000);
    const next = await world.browser({ rememberedCookie: cookie });
    Object.assign(next.cookies, { 'sp-remembered': cookie });
    const answer = await holding(
      storage,
      (tx) => world.devices.revokeAll(tx, user.id, 'by-user', world.clock.now()),
      async () => {
        const sent = next.submit(credentials);
        await waiting(storage.db, 1);
        return () => sent;
      },
    );
    t.equal(heading(answer), 'Sign in', 'nothing has happened');
    t.equal(heading(await next.submit(credentials)), 'Enter code');
    const login = storage.db.selectFrom('logins').select('status').where('id', '=', next.loginId);
    t.same(await login.execute(), [{ status: 'running' }]);
  }),
);

t.test('of logins that finish while a factor is added, none is left', async (t) => {
  const letters = 'ABCDEFGH';
  const codes = [...letters].map((letter) => `7K0D${letter}-XW3QP`);
  const steps = [
    { id: 'first', options: ['password'] },
    { id: 'second', options: ['totp', 'backup-code'] },
  ];
  const person = { username: 'ada', password };
  const world = await openAccounts(t, await postgresUrl(t), {
    gateway: { ...standard('').gateway, account: { flow: 'main' } },
    apps: [{ ...apps[0], flow: 'main' }],
    flows: [{ id: 'main', name: 'Main', steps }],
    users: [{ ...person, backupCodes: [...codes, '7K0DZ-XW3QP'] }],
  });
  const signIn = async (path: string) => world.enter(path, person);
  const mine = await signIn('/account/authenticator');
  const list = await mine.browser.submit(mine.page, { code: '7K0DZ-XW3QP' });
  const scan = await press(mine.browser, list, '/account/authenticator');
  const others = await Promise.all(codes.map(() => signIn('/account')));
  const added = press(mine.browser, scan, '/account/authenticator/new', {
    code: codeAt(secretIn(scan), new Date()),
  });
  const rest = others.map(({ browser, page }, n) => browser.submit(page, { code: codes[n] ?? '' }));
  await Promise.all([...rest, added]);
  t.match((await added).html, /is set up/);
  const live = await sql<{ n: number }>`select count(*)::integer as n from sessions
    where revoked_at is null`.execute(world.db);
  t.same(live.rows, [{ n: 1 }], 'but the one of who has added it');
  const running = world.db.selectFrom('logins').select('id').where('status', '=', 'running');
  t.same(await running.execute(), []);
});
