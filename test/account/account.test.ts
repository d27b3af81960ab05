/** Self-service as a browser without scripts meets it, on both databases. */
import { sql } from 'kysely';
import t from 'tap';
import { listSimulated } from '../../src/delivery/simulator/store.ts';
import { type Browser, createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import { alice, eachDatabaseUrl, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';
import { createTestApp, nextCode, openLogin, signIn } from '../helpers/relying-party.ts';

const bob = { username: 'bob', password: 'nine patient teapots' };
const another = 'eleven borrowed umbrellas';
const passwords = { ...generousGuard.passwords, perDevice: 6 };
const { apps, flows, users } = standard('');
const remembering = flows.map((flow) => {
  const [first, second] = (flow as { steps: object[] }).steps;
  return { ...flow, steps: [first, { ...second, remember: '30d' }] };
});

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      gateway: { name: 'Sallyport', guard: { ...generousGuard, passwords } },
      apps: [{ ...apps[0], home: 'http://localhost:4501/start/' }],
      flows: [...remembering, { id: 'alone', name: 'Alone', steps: [{ id: 'only', options: ['password'] }] }],
      providers: [
        ...standard(sms.url).providers,
        { id: 'mail', channel: 'email', preset: 'simulator', simulator: {} },
      ],
      users: [...users, { ...bob, email: 'bob@example.test', attributes: { team: 'tea' } }],
    },
  });
  const { clock, crypto, settings, storage } = gateway.running.context;
  const { db } = storage;
  const app = await createTestApp(gateway, shop);
  const at = (path: string) => new URL(path, gateway.issuer);
  const code = async () => await nextCode(sms, alice.phone);
  const mails = async () =>
    (await listSimulated(db, crypto, null, clock.now())).filter(({ channel }) => channel === 'email');

  /** Signs in and opens a page, all by /account itself. */
  async function enter(
    path: string,
    user: { username: string; password: string },
    browser = createBrowser(),
  ) {
    const login = await browser.open(at(path));
    const { password, username } = user;
    const next = await browser.submit(login, { username, password });
    const page = username === 'alice' ? await browser.submit(next, { code: await code() }) : next;
    return { browser, page };
  }
  /** As if so many minutes had passed since the factors of all sessions. */
  const age = (minutes: number) =>
    sql`update sessions set factors = (select jsonb_agg(jsonb_set(f, '{at}', to_jsonb((f ->> 'at')::bigint - ${minutes * 60_000}::bigint)))
      from jsonb_array_elements(factors) f)`.execute(db);
  const post = (browser: Browser, path: string, body: Record<string, string>, origin = gateway.issuer) =>
    fetch(at(path), {
      method: 'POST',
      redirect: 'manual',
      headers: { origin, cookie: `sp-session=${browser.cookie('sp-session')}`, accept: 'text/html' },
      body: new URLSearchParams(body),
    });
  const tokenIn = (html: string) => /name="_token" value="([^"]+)"/.exec(html)?.[1] ?? '';

  await t.test('who comes from nowhere signs in and arrives where they wanted to', async (t) => {
    const { browser, page } = await enter('/account/sessions?x=1', alice);
    t.equal(page.url.href, at('/account/sessions?x=1').href);
    t.match(page.html, /This browser/);
    const overview = await browser.open(at('/account'));
    t.match(overview.html, /Hello, Alice/);
    for (const title of ['About you', 'Password', 'Where you are signed in', 'Recent activity']) {
      t.match(overview.html, new RegExp(`<h2>${title}</h2>`));
    }
    t.equal(overview.status, 200);
  });

  await t.test('a sign-in in a new browser is told by mail, but for the first one ever', async (t) => {
    const told = async () => (await mails()).filter(({ subject }) => /new device/.test(subject ?? ''));
    const { browser } = await enter('/account', bob);
    t.same(await told(), [], 'the first one ever');
    await browser.open(at('/session/end'));
    await sql`update sessions set revoked_at = ${clock.now()} where user_id <> ''`.execute(db);
    await enter('/account', bob, browser);
    t.same(await told(), [], 'again in the same browser');
    await enter('/account', bob);
    const [mail, ...more] = await told();
    t.same(more, []);
    t.equal(mail?.to, 'bob@example.test');
    t.match(mail?.text, /Hello bob,.*new to it.*\/account/s);
  });

  await t.test('one session is for applications and for these pages', async (t) => {
    const { browser } = await enter('/account', alice);
    const silent = await openLogin(app, browser);
    t.ok(app.isCallback(silent.page.url), 'begun here, good there');
    t.same((await app.exchange(silent.attempt, silent.page.url)).claims()?.amr, ['pwd', 'sms', 'mfa']);
    const other = await signIn({ ...gateway, sms }, app, alice);
    t.equal((await other.browser.open(at('/account'))).url.pathname, '/account', 'and the other way round');
  });

  await t.test('what a login ended in is given out once, and to its own browser', async (t) => {
    const browser = createBrowser();
    const login = await browser.open(at('/account'));
    const second = await browser.submit(login, { username: alice.username, password: alice.password });
    const back = await browser.submit(second, { code: await code() }, ({ pathname }) =>
      pathname.startsWith('/account/continue/'),
    );
    t.equal((await createBrowser().open(back.url)).status, 410, 'another browser');
    const cookie = `sp-continue=${browser.cookie('sp-continue')}`;
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => fetch(back.url, { redirect: 'manual', headers: { cookie } })),
    );
    const given = answers.filter(({ headers }) => /sp-session=./.test(headers.get('set-cookie') ?? ''));
    t.same([given.length, answers.filter(({ status }) => status === 410).length], [1, 15], 'of many at once');
    t.equal((await browser.open(back.url)).status, 410, 'a second time');
  });

  await t.test('no foreign form is taken', async (t) => {
    const { browser, page } = await enter('/account/profile', bob);
    const token = tokenIn(page.html);
    for (const [what, body, origin] of [
      ['no token', { name: 'Mallory' }, gateway.issuer],
      ['a made-up token', { name: 'Mallory', _token: 'k1.AAAA' }, gateway.issuer],
      ['another origin', { name: 'Mallory', _token: token }, 'https://evil.example'],
    ] as const) {
      t.equal((await post(browser, '/account/profile', body, origin)).status, 403, what);
    }
    const { page: ofAlice } = await enter('/account/profile', alice);
    t.equal(
      (await post(browser, '/account/profile', { name: 'Mallory', _token: tokenIn(ofAlice.html) })).status,
      403,
      'the token of another session',
    );
    t.equal(
      (await post(browser, '/account/profile', { name: '\u202eBo\u2067b', _token: token })).status,
      303,
    );
    const after = await browser.open(at('/account/profile'));
    t.match(after.html, /value="Bob"/, 'without what would turn the writing around it');
    t.match(after.html, /bob@example\.test \(confirmed\)/);
    t.match(after.html, /<dt>team<\/dt><dd>tea<\/dd>/);
  });

  await t.test('a sensitive page asks for a second factor that is young', async (t) => {
    const { browser } = await enter('/account', alice);
    t.match((await browser.open(at('/account/password'))).html, /name="newPassword"/, 'just passed');
    await age(11);
    const asked = await browser.open(at('/account/password'));
    t.match(asked.url.pathname, /^\/login\//);
    const before = browser.cookie('sp-session');
    const second = await browser.submit(asked, { password: alice.password });
    const page = await browser.submit(second, { code: await code() });
    t.equal(page.url.pathname, '/account/password');
    t.not(browser.cookie('sp-session'), before, 'with a new value of the cookie');
    await age(11);
    const form = { _token: tokenIn(page.html), oldPassword: alice.password, newPassword: another };
    const late = await post(browser, '/account/password', form);
    t.match(late.headers.get('location'), /^\/login\//, 'its form, too');
    const cancelled = await browser.open(at('/account/password'));
    t.equal((await browser.submit(cancelled, { action: 'cancel' })).url.pathname, '/account', 'a way back');
  });

  await t.test('the password: old one asked, weak ones refused, other browsers signed out', async (t) => {
    const elsewhere = await signIn({ ...gateway, sms }, app, alice);
    const { browser, page } = await enter('/account/password', alice);
    const halfway = createBrowser();
    const asked = await halfway.submit(await halfway.open(at('/account')), {
      ...{ username: alice.username, password: alice.password },
    });
    const late = await code();
    for (const [oldPassword, newPassword, sentence] of [
      ['no such password', another, /That is not the password you have now/],
      ['', another, /type the password that you have now/],
      [alice.password, '', /type the new password/],
      [alice.password, 'short', /at least 8 characters/],
      [alice.password, 'alice@example.test', /not your user name or e-mail/],
      [alice.password, alice.password, /the password you have already/],
    ] as const) {
      const refused = await browser.submit(page, { oldPassword, newPassword, others: 'on' });
      t.equal(refused.status, 422);
      t.match(refused.html, sentence);
      t.match(refused.html, /<title>Error: /);
    }
    const done = await browser.submit(page, {
      oldPassword: alice.password,
      newPassword: another,
      others: 'on',
    });
    t.match(done.html, /Your password is changed/);
    t.notMatch((await browser.open(at('/account'))).html, /Your password is changed/, 'said once');
    t.match((await elsewhere.browser.open(at('/account'))).url.pathname, /^\/login\//, 'signed out there');
    const ended = await halfway.submit(asked, { code: late });
    t.notMatch(ended.url.pathname, /^\/account/, 'nobody gets in by the old one');
    t.notOk(halfway.cookie('sp-session'));
    const fresh = createBrowser();
    const login = await fresh.open(at('/account'));
    t.match(
      (await fresh.submit(login, { username: alice.username, password: alice.password })).html,
      /do not match/,
      'the old one is void',
    );
    const mail = await mails();
    t.ok(
      mail.some(
        ({ subject, to }) => to === 'alice@example.test' && /password was changed/.test(subject ?? ''),
      ),
    );
    t.notMatch(JSON.stringify(mail), another);
  });

  await t.test('wrong old passwords count as at a login', async (t) => {
    const { browser, page } = await enter('/account/password', bob);
    await sql`delete from factor_locks`.execute(db);
    let status = 0;
    for (let tries = 0; tries < 8 && status !== 429; tries += 1) {
      status = (await browser.submit(page, { oldPassword: `wrong ${tries}`, newPassword: another })).status;
    }
    t.equal(status, 429);
    const right = await browser.submit(page, { oldPassword: bob.password, newPassword: another });
    t.match(right.html, /Too many tries/, 'the right one, too');
    await sql`delete from factor_locks`.execute(db);
  });

  await t.test('a session revoked in one browser ends the other one’s next request', async (t) => {
    const [one, other] = [await enter('/account', bob), await enter('/account/profile', bob)];
    const list = await one.browser.open(at('/account/sessions'));
    t.equal(list.html.split('Sign out there').length - 1 >= 1, true);
    const strange = await enter('/account/sessions', { ...alice, password: another });
    const foreign = /sessions\/(ses_[^/]+)\/end/.exec(list.html)?.[1];
    await post(strange.browser, `/account/sessions/${foreign}/end`, { _token: tokenIn(strange.page.html) });
    t.equal((await other.browser.open(at('/account'))).url.pathname, '/account', 'not by another user');
    await post(one.browser, '/account/sessions/others/end', { _token: tokenIn(list.html) });
    t.match((await other.browser.open(at('/account'))).url.pathname, /^\/login\//);
    t.equal((await one.browser.open(at('/account'))).url.pathname, '/account');
  });

  await t.test('a way back to the app that sent somebody here, and to nobody else', async (t) => {
    const { browser, page } = await enter('/account/profile?return_to=http://localhost:4501/start/me', bob);
    t.match(page.html, /href="http:\/\/localhost:4501\/start\/me">Back to Shop/);
    t.match((await browser.open(at('/account'))).html, /Back to Shop/, 'on the next page, too');
    for (const wish of [
      'https://evil.example/',
      'http://localhost:4501/other',
      'javascript:alert(1)',
      '//x',
    ]) {
      const path = `/account?return_to=${encodeURIComponent(wish)}`;
      t.notMatch((await browser.open(at(path))).html, /Back to|evil|alert/, wish);
    }
    t.match(
      (await browser.open(at('/.well-known/change-password'))).url.pathname,
      /\/account\/password|\/login/,
    );
  });

  await t.test('a remembered browser is listed, and forgotten it is asked for a code again', async (t) => {
    const user = { username: alice.username, password: another };
    const browser = createBrowser();
    const asks = async () => {
      const walk = await openLogin(app, browser, { prompt: 'login' });
      return browser.submit(walk.page, user, app.isCallback);
    };
    await browser.submit(await asks(), { code: await code(), remember: 'on' }, app.isCallback);
    t.ok(app.isCallback((await asks()).url), 'goes without');
    const list = await enter('/account/devices', user);
    t.match(list.page.html, /For · Shop/);
    const forgotten = await list.browser.submit(list.page, {});
    t.match(forgotten.html, /will be asked for a code again/);
    t.match(forgotten.html, /There is none/);
    t.match((await asks()).html, /name="code"/);
    await code();
  });

  await t.test('recent activity in words, a page at a time', async (t) => {
    const { browser, page } = await enter('/account/activity', bob);
    t.match(page.html, /You signed in to Sallyport/);
    t.match(page.html, /Your details were changed/);
    t.notMatch(page.html, /login\.finished|account\.activity|alice/);
    const { id } = (await gateway.running.context.users.findByIdentifier(db, 'bob')) ?? {};
    const now = clock.now();
    const past = Array.from({ length: 30 }, (_, n) => ({ days: n * 4, reason: `n${n}` }));
    for (const { days } of past) {
      const then = new Date(now.getTime() - days * 86_400_000);
      await sql`insert into audit_events (id, at, name, subject, ip) values (${`evt_${days}`}, ${then}, 'user.disabled', ${id ?? ''}, '192.0.2.1')`.execute(
        db,
      );
    }
    let seen = 0;
    for (let next: string | undefined = '/account/activity', turns = 0; next && turns < 9; turns += 1) {
      const { html } = await browser.open(at(next));
      seen += html.split('Your account was switched off').length - 1;
      next = /href="(\/account\/activity\?before[^"]+)"/.exec(html)?.[1]?.replace('&#x3D;', '=');
    }
    t.equal(seen, 23, 'each of the last 90 days once');
    t.equal((await browser.open(at('/account/activity?before=nonsense'))).status, 200);
  });

  await t.test('where it is switched off there is nothing', async (t) => {
    t.match((await createBrowser().open(at('/'))).html, /href="\/account"/);
    const document = JSON.stringify({ raw: { enabled: false }, resolved: { enabled: false } });
    await sql`insert into settings (section, document, updated_at) values ('account', ${document}::jsonb, ${clock.now()})`.execute(
      db,
    );
    await settings.load();
    t.equal((await createBrowser().open(at('/account'))).status, 404);
    t.notMatch((await createBrowser().open(at('/'))).html, /href="\/account"/);
  });
});
