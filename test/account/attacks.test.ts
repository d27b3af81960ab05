/** What is tried on the pages of an account by a thief of its session, by who has another account, and by a foreign page. */
import { connect } from 'node:net';
import { sql } from 'kysely';
import t from 'tap';
import { createAreas } from '../../src/account/areas/index.ts';
import type { AccountDeps } from '../../src/account/types.ts';
import { listSimulated } from '../../src/delivery/simulator/store.ts';
import { codeAt } from '../flows/totp-support.ts';
import { postgresUrl, standard } from '../helpers/gateway.ts';
import { openAccounts, press, secretIn, words } from './support.ts';

const { apps } = standard('');
const password = 'seven quiet lanterns';
const flow = {
  ...{ id: 'main', name: 'Main' },
  steps: [
    { id: 'first', options: ['password'] },
    { id: 'second', options: ['sms-otp', 'totp'], remember: '30d' },
  ],
};
const person = (username: string, phone: string) => ({
  ...{ username, password, phone, email: `${username}@example.test` },
});
const ada = person('ada', '+447700900101');
const mallory = person('mallory', '+447700900102');
const eve = person('eve', '+447700900103');
const finn = person('finn', '+447700900104');

const tokenIn = (html: string): string => /name="_token" value="([^"]+)"/.exec(html)?.[1] ?? '';

/** Every form of the account pages, as the areas register them. */
function formsOf(): string[] {
  const paths: string[] = [];
  const anything: object = new Proxy(() => undefined, { get: () => anything, apply: () => anything });
  for (const area of createAreas(anything as AccountDeps)) {
    area.routes({ get: () => undefined, post: (path) => void paths.push(path) });
  }
  return paths;
}

t.test('the pages of an account', async (t) => {
  const world = await openAccounts(t, await postgresUrl(t), {
    apps: [{ ...apps[0], flow: 'main', home: 'http://localhost:4501/start/' }],
    flows: [flow],
    users: [ada, mallory, eve, finn],
  });

  await t.test('no form of the account is taken from anywhere else', async (t) => {
    const { at, enter, gateway } = world;
    const { browser, page } = await enter('/account/profile', ada);
    const { page: theirs } = await enter('/account/profile', mallory);
    const own = tokenIn(page.html);
    const cookie = `sp-session=${browser.cookie('sp-session')}`;
    const forms = formsOf();
    t.ok(forms.length > 12);
    const state = async () => {
      const tables = ['users', 'credentials', 'backup_codes', 'remembered_devices', 'sessions'];
      const read = tables.map((table) =>
        sql`select * from ${sql.table(table)} order by id`.execute(world.db),
      );
      return JSON.stringify((await Promise.all(read)).map(({ rows }) => rows));
    };
    const before = await state();
    const body = { phone: '+447700900191', name: 'x', sure: 'on', replaces: 'none', code: '123456' };
    for (const form of forms) {
      const path = `/account/${form.replace(':id', 'any')}`;
      for (const [what, token, headers] of [
        ['no token', '', {}],
        ['the token of somebody else', tokenIn(theirs.html), {}],
        ['another origin', own, { origin: 'https://evil.example' }],
        ['the origin of nobody', own, { origin: 'null' }],
        ['another site', own, { 'sec-fetch-site': 'cross-site' }],
        ['a neighbour', own, { 'sec-fetch-site': 'same-site' }],
      ] as const) {
        const { status } = await fetch(at(path), {
          ...{ method: 'POST', redirect: 'manual' },
          headers: { origin: gateway.issuer, cookie, accept: 'text/html', ...headers },
          body: new URLSearchParams({ ...body, _token: token }),
        });
        t.equal(status, 403, `${path}: ${what}`);
      }
    }
    t.equal(await state(), before, 'nothing has changed');
  });

  await t.test('what belongs to others cannot be ended by its id', async (t) => {
    const { at, enter, userOf } = world;
    const victim = await enter('/account/authenticator', eve);
    const scan = await press(victim.browser, victim.page, '/account/authenticator');
    await press(victim.browser, scan, '/account/authenticator/new', {
      code: codeAt(secretIn(scan), new Date()),
    });
    const { id: userId } = await userOf('eve');
    await sql`insert into remembered_devices (id, user_id, rotated_at, passes, created_at, last_used_at, expires_at)
      values ('rdv_0123456789012345678901', ${userId}, now(), '{}', now(), now(), now() + interval '1 day')`.execute(
      world.db,
    );
    const idsOf = async (table: string) => {
      const found = await sql<{
        id: string;
      }>`select id from ${sql.table(table)} where user_id = ${userId}`.execute(world.db);
      return found.rows.map(({ id }) => id);
    };
    const { browser, page } = await enter('/account/profile', mallory);
    const token = tokenIn(page.html);
    const forms = [
      ...(await idsOf('sessions')).map((id) => `/account/sessions/${id}/end`),
      ...(await idsOf('remembered_devices')).map((id) => `/account/devices/${id}/forget`),
      ...(await idsOf('credentials')).map((id) => `/account/authenticator/${id}/remove`),
    ];
    t.ok(forms.length >= 3);
    for (const path of forms) {
      const html = `<form method="post" action="${path}"><input type="hidden" name="_token" value="${token}"></form>`;
      const answer = await browser.submit({ ...page, html }, {});
      t.equal(answer.status, 200, path);
    }
    const live = await sql<{ n: number }>`select
      (select count(*) from sessions where user_id = ${userId} and revoked_at is null)::integer +
      (select count(*) from remembered_devices where user_id = ${userId} and revoked_at is null)::integer +
      (select count(*) from credentials where user_id = ${userId})::integer as n`.execute(world.db);
    t.equal(live.rows[0]?.n, forms.length, 'all of it is still there');
    t.equal((await victim.browser.open(at('/account'))).url.pathname, '/account');
  });

  await t.test('who has taken a session over writes no text into the mails that warn of it', async (t) => {
    const { browser, page } = await world.enter('/account/profile', ada);
    for (const name of [
      'Ada. Your account is locked: https://evil.example/unlock',
      'Ada, go to evil.example now',
      'www.evil.example',
      'ada@evil.example',
    ]) {
      const saved = await press(browser, page, '/account/profile', { name });
      t.match(words(saved), /Your name is saved/);
      const codes = await browser.open(world.at('/account/backup-codes'));
      await press(browser, codes, '/account/backup-codes', { confirm: 'on' });
    }
    t.ok(await world.mailed(ada.email, /You have new backup codes/, 4));
    const { crypto, clock } = world.gateway.running.context;
    const mails = await listSimulated(world.db, crypto, null, clock.now());
    for (const { text } of mails) t.notMatch(text, /evil/);
  });

  await t.test('the way back leads to nobody who has not registered it', async (t) => {
    const { at, enter } = world;
    const { browser } = await enter('/account', mallory);
    for (const wish of [
      '//evil.example/start/',
      '\\\\evil.example/start/',
      'http:evil.example',
      'http:\\\\evil.example/start/',
      'http://localhost:4501@evil.example/start/',
      'http://user:pass@localhost:4501/start/',
      'http://localhost:4501.evil.example/start/',
      'http://localhost:4501/start/../admin',
      'http://localhost:4501/start/%2e%2e/admin',
      'https://localhost:4501/start/',
      'http://localhost:4502/start/',
      'data:text/html,<script>alert(1)</script>',
      ' javascript:alert(1)',
      'java\nscript:alert(1)',
      'http://localhost:4501/start/"><script>alert(1)</script>',
      '/start/',
      `http://localhost:4501/start/${'x'.repeat(2000)}`,
    ]) {
      const page = await browser.open(at(`/account?return_to=${encodeURIComponent(wish)}`));
      t.notMatch(page.html, /<script>alert|evil|href="[^"]*javascript/i, wish);
      const link = /href="([^"]*)">Back to/.exec(page.html)?.[1];
      const led = link && new URL(link.replaceAll('&quot;', '"'), at('/account'));
      if (led) t.match([led.origin, led.pathname], ['http://localhost:4501', /^\/start\//], wish);
    }
  });

  await t.test('nor does a sign-in that was asked for by the address of another host', async (t) => {
    const { at, gateway, code } = world;
    const answer = await new Promise<string>((done) => {
      const socket = connect(Number(at('/').port), '127.0.0.1');
      let received = '';
      socket.on('data', (data) => {
        received += data;
      });
      socket.on('close', () => done(received));
      const target = 'http://evil.example/account/profile';
      socket.write(`GET ${target} HTTP/1.1\r\nHost: ${at('/').host}\r\nConnection: close\r\n\r\n`);
    });
    const path = /^location: (\S+)/im.exec(answer)?.[1] ?? '';
    const cookies = [...answer.matchAll(/^set-cookie: ([^;]+)/gim)].map(([, pair]) => pair).join('; ');
    t.match(path, /^\/login\//);
    const post = async (fields: Record<string, string>) => {
      const page = await (
        await fetch(at(path), { headers: { cookie: cookies, accept: 'text/html' } })
      ).text();
      const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
      const body = new URLSearchParams({ _token: hidden('_token'), version: hidden('version'), ...fields });
      const headers = { cookie: cookies, accept: 'text/html', origin: gateway.issuer };
      return fetch(at(path), { method: 'POST', redirect: 'manual', headers, body });
    };
    await post({ username: 'ada', password });
    const finished = await post({ code: await code(ada.phone) });
    const back = await fetch(at(finished.headers.get('location') ?? ''), {
      redirect: 'manual',
      headers: { cookie: cookies },
    });
    t.match(back.headers.get('set-cookie'), /sp-session=/, 'signed in');
    t.equal(back.headers.get('location'), '/account');
  });

  await t.test('a copy of one’s data opens nothing, and is of nobody else', async (t) => {
    const { at, enter, gateway, userOf } = world;
    await enter('/account', mallory);
    const { browser, page } = await enter('/account/authenticator', finn);
    const scan = await press(browser, page, '/account/authenticator');
    const label = '<img src=x onerror=alert(1)>';
    const typed = { code: codeAt(secretIn(scan), new Date()), label };
    const list = await press(browser, scan, '/account/authenticator/new', typed);
    t.notMatch(list.html, /<img/, 'what people call it is text');
    const codes = await press(
      browser,
      await browser.open(at('/account/backup-codes')),
      '/account/backup-codes',
    );
    await gateway.running.context.people.unlock({ name: 'finn', by: 'cli:operator' });
    const { html: copy } = await press(
      browser,
      await browser.open(at('/account/data')),
      '/account/data/copy',
    );
    const data = JSON.parse(copy);
    t.match(data, { profile: { username: 'finn' }, factors: { others: [{ type: 'totp', label }] } });
    const { id } = await userOf('finn');
    const secrets = await sql<Record<string, string>>`select password_hash, cookie_hash, sealed, code_hash
      from users, sessions, credentials, backup_codes
      where users.id = ${id} and sessions.user_id = ${id} and credentials.user_id = ${id}
        and backup_codes.user_id = ${id}`.execute(world.db);
    t.equal(secrets.rows.length, 10);
    const held = new Set([
      ...secrets.rows.flatMap((row) => Object.values(row)),
      ...[
        secretIn(scan),
        browser.cookie('sp-session') ?? '-',
        /[0-9A-Z]{5}-[0-9A-Z]{5}/.exec(codes.html)?.[0] ?? '-',
      ],
    ]);
    for (const secret of held) t.notOk(copy.includes(secret));
    const theirs = await userOf('mallory');
    t.notMatch(copy, new RegExp(`mallory|operator|${theirs.id}|${theirs.phone?.slice(1)}`));
  });
});
