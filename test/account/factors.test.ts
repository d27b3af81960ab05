/** What people sign in with, changed by themselves, on both databases. */
import { sql } from 'kysely';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { codeAt } from '../flows/totp-support.ts';
import { eachDatabaseUrl, generousGuard, postgresUrl, shop, standard } from '../helpers/gateway.ts';
import { createTestApp, openLogin, passPassword } from '../helpers/relying-party.ts';
import { openAccounts, press, secretIn, words } from './support.ts';

const { apps } = standard('');
const second = (options: string[], more: object) => ({ id: 'second', options, ...more });
const flowOf = (id: string, ...steps: object[]) => ({
  ...{ id, name: id, steps: [{ id: 'first', options: ['password'] }, ...steps] },
});
const appOf = (id: string, name: string, flow: string) => ({ ...apps[0], id, name, flow });
const any = ['sms-otp', 'totp', 'backup-code'];
/** Asks everybody. */
const strict = flowOf('strict', second(['sms-otp', 'totp'], { onUnavailable: 'enrol' }));
const lenient = flowOf('lenient', second(any, { userMayDisable: true, onUnavailable: 'skip' }));

const person = (username: string, phone: string | null, more: object = {}) => ({
  ...{ username, password: 'seven quiet lanterns', email: `${username}@example.test` },
  ...(phone !== null && { phone }),
  ...more,
});
const codes = { backupCodes: ['KTQ7X-M3WPA', 'R9HCF-2VNDE', 'W4JYB-8TKGM'] };
const numbers = { ada: '+447700900101', ben: '+447700900102', cleo: '+447700900103', dan: '+447700900104' };
const account = (username: keyof typeof numbers) => ({
  ...{ username, password: 'seven quiet lanterns', phone: numbers[username] },
});

t.test('the phone number', (t) =>
  eachDatabaseUrl(t, async (t, databaseUrl) => {
    const world = await openAccounts(t, databaseUrl, {
      apps: [appOf('shop', 'Shop', 'lenient')],
      flows: [lenient],
      users: [
        person('ada', numbers.ada),
        person('ben', numbers.ben),
        person('cleo', null),
        person('dan', numbers.dan),
      ],
    });
    const { code, enter, events, mailed, sms, userOf } = world;

    await t.test('a new one counts once its code was typed, and the old one is told', async (t) => {
      const elsewhere = await enter('/account', account('ada'));
      const { browser, page } = await enter('/account/phone', account('ada'));
      t.match(words(page), /Your number is ••••• 01/);
      t.notMatch(page.html, numbers.ada.slice(-5), 'never whole');
      const next = '+447700900199';
      t.match(words(await press(browser, page, '/account/phone', { phone: '12' })), /not look like a phone/);
      const same = await press(browser, page, '/account/phone', { phone: numbers.ada });
      t.match(words(same), /the number you have already/);
      const asked = await press(browser, page, '/account/phone', { phone: next });
      t.equal(asked.url.pathname, '/account/phone/code');
      t.match(words(asked), /••••• 99/);
      const sent = await code(next);
      t.equal((await userOf('ada')).phone, numbers.ada, 'nothing typed replaces it');
      const early = await press(browser, asked, '/account/phone/code', { action: 'resend' });
      t.equal(early.status, 429, 'not again at once');

      const wrong = await press(browser, asked, '/account/phone/code', { code: '000000' });
      t.equal(wrong.status, 422);
      t.match(words(wrong), /That is not the code. You have 4 tries left/);
      const other = await enter('/account/phone/code', account('ada'));
      t.equal(other.page.url.pathname, '/account/phone', 'another session has nothing to prove');

      const done = await press(browser, asked, '/account/phone/code', { code: sent });
      t.match(words(done), /Your new phone number is saved/);
      const user = await userOf('ada');
      t.match(user, { phone: next, phoneVerified: true });
      t.match((await sms.next(numbers.ada, 5_000)).text, /another phone number now. It ends in 99/);
      t.ok(await mailed('ada@example.test', /Your phone number was changed/));
      t.match((await elsewhere.browser.open(world.at('/account'))).url.pathname, /^\/login/, 'signed out');
      t.ok((await events(user.id)).includes('user.changed'));
      const log = await sql`select data from audit_events`.execute(world.db);
      t.notMatch(JSON.stringify(log.rows), /447700900|"\d{6}"/, 'neither numbers nor codes are on record');
    });

    await t.test('of somebody else: told once it is proved, and not whose', async (t) => {
      const { browser, page } = await enter('/account/phone', account('dan'));
      await sql`update users set phone_verified = true where username = 'ben'`.execute(world.db);
      const asked = await press(browser, page, '/account/phone', { phone: numbers.ben });
      t.equal(asked.url.pathname, '/account/phone/code', 'a number alone tells nothing');
      const taken = await press(browser, asked, '/account/phone/code', { code: await code(numbers.ben) });
      t.match(words(taken), /already belongs to another account/);
      t.notMatch(taken.html, /ben/);
      t.equal((await userOf('dan')).phone, numbers.dan);
    });

    await t.test('wrong codes close this way, not the one to sign in by', async (t) => {
      const { browser, page } = await enter('/account/phone', account('dan'));
      const asked = await press(browser, page, '/account/phone', { phone: '+447700900188' });
      const right = await code('+447700900188');
      for (let tries = 0; tries < 5; tries += 1) {
        await press(browser, asked, '/account/phone/code', { code: '000000' });
      }
      const late = await press(browser, asked, '/account/phone/code', { code: right });
      t.match(words(late), /Too many tries/);
      t.equal((await enter('/account', account('dan'))).page.url.pathname, '/account');
    });

    await t.test('no end of numbers', async (t) => {
      const { browser, page } = await enter('/account/phone', account('ben'));
      let said = '';
      for (let n = 0; n < 7 && !/many numbers/.test(said); n += 1) {
        said = words(await press(browser, page, '/account/phone', { phone: `+44770090017${n}` }));
      }
      t.match(said, /These were many numbers/);
    });

    await t.test('held back for a day after a forgotten password was replaced', async (t) => {
      const { browser, page } = await enter('/account/phone', account('dan'));
      const ago = (hours: number) =>
        sql`update users set recovered_at = ${new Date(Date.now() - hours * 3_600_000)} where username = 'dan'`.execute(
          world.db,
        );
      await ago(23);
      t.match(words(await browser.open(world.at('/account/phone'))), /changed in 1 hour/);
      for (const path of ['/account/phone', '/account/phone/remove']) {
        const refused = await press(browser, page, path, { phone: '+447700900177' });
        t.equal(refused.status, 403, path);
      }
      t.equal((await userOf('dan')).phone, numbers.dan);
      await ago(25);
      t.equal((await press(browser, page, '/account/phone/remove')).status, 200);
    });

    await t.test(
      'enrolment of an attacker’s phone with only the password where policy forbids it',
      async (t) => {
        const cleo = { username: 'cleo', password: 'seven quiet lanterns' };
        const { browser, page } = await enter('/account/phone', cleo);
        const refused = await press(browser, page, '/account/phone', { phone: '+447700900166' });
        t.equal(refused.status, 403);
        t.match(words(refused), /a second way of showing that it is you/);
        for (const path of ['/account/phone/code', '/account/authenticator/new', '/account/backup-codes']) {
          const { status } = await press(
            browser,
            { ...page, html: page.html.replaceAll('"/account/phone"', `"${path}"`) },
            path,
            { code: '123456', replaces: 'none' },
          );
          t.equal(status, 403, path);
        }
        t.match(await userOf('cleo'), { phone: null, backupCodes: 0 });
      },
    );
  }),
);

t.test('the number removed to escape the code', (t) =>
  eachDatabaseUrl(t, async (t, databaseUrl) => {
    const world = await openAccounts(t, databaseUrl, {
      apps: [appOf('shop', 'Shop', 'lenient'), appOf('bank', 'Bank', 'strict')],
      flows: [lenient, strict],
      users: [person('ada', numbers.ada)],
    });
    const { enter, events, userOf } = world;
    const { browser, page } = await enter('/account/phone', account('ada'));
    const refused = await press(browser, page, '/account/phone/remove');
    t.equal(refused.status, 409);
    t.match(words(refused), /Everybody is asked for a code by Bank, so your number has to stay/);
    t.equal((await userOf('ada')).phone, numbers.ada);

    // With another factor of that step there is nothing to escape.
    const begun = await press(
      browser,
      await browser.open(world.at('/account/authenticator')),
      '/account/authenticator',
    );
    const secret = secretIn(begun);
    const typed = { code: codeAt(secret, new Date()), label: 'Pocket' };
    const added = await press(browser, begun, '/account/authenticator/new', typed);
    t.match(words(added), /is set up.*Pocket/);
    const gone = await press(
      browser,
      await browser.open(world.at('/account/phone')),
      '/account/phone/remove',
    );
    t.match(words(gone), /Your phone number is removed/);
    t.equal((await userOf('ada')).phone, null);
    const last = await press(browser, added, /remove$/);
    t.equal(last.status, 409, 'and that one has to stay now');
    t.match(words(last), /asked for something like this by Bank. Set up another one first/);
    const names = await events((await userOf('ada')).id);
    t.equal(names.filter((name) => name === 'user.factor_removed').length, 1);
  }),
);

t.test('the switch of the code', async (t) => {
  const databaseUrl = await postgresUrl(t);
  const world = await openAccounts(t, databaseUrl, {
    apps: [{ ...appOf('shop', 'Shop', 'lenient'), secret: shop.secret }, appOf('bank', 'Bank', 'strict')],
    flows: [lenient, strict],
    users: [person('ada', numbers.ada), person('ben', numbers.ben)],
  });
  const { at, enter, events, gateway, mailed, userOf } = world;
  const app = await createTestApp(gateway, shop);
  const passwordOnly = async () => {
    const walk = await passPassword(app, await openLogin(app), {
      username: 'ada',
      password: account('ada').password,
    });
    return app.isCallback(walk.page.url);
  };

  const { browser, page } = await enter('/account/code', account('ada'));
  t.match(words(page), /You can do without it at: Shop .*requires it: Bank/);
  t.match(
    words(await press(browser, page, '/account/code/off', { until: '1999-01-01' })),
    /choose a day within the next year/,
  );
  const reloaded = await browser.open(at('/account/code/off'));
  t.equal(reloaded.url.pathname, '/account/code', 'a form’s address leads to the form');
  const until = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  const off = await press(browser, page, '/account/code/off', { until });
  t.match(words(off), /The code is off/);
  t.match(words(off), /Off until .*Without the code: Shop/);
  t.equal(await passwordOnly(), true, 'where the app allows it');
  const bank = await createTestApp(gateway, { ...shop, id: 'bank' });
  const asked = await passPassword(bank, await openLogin(bank), {
    username: 'ada',
    password: account('ada').password,
  });
  t.notOk(bank.isCallback(asked.page.url), 'not where it does not');
  await world.code(numbers.ada);
  t.ok(await mailed('ada@example.test', /The code by message is off/));

  await sql`update users set code_off_until = ${new Date()} where username = 'ada'`.execute(world.db);
  t.equal(await passwordOnly(), false, 'the day is over');
  await world.code(numbers.ada);
  const again = await press(browser, await browser.open(at('/account/code')), '/account/code/off');
  t.match(await userOf('ada'), { codeOff: true, codeOffUntil: null });
  t.match(words(await press(browser, again, '/account/code/on')), /The code is on again/);
  t.equal(await passwordOnly(), false, 'on again');
  const names = await events((await userOf('ada')).id);
  t.same(
    names.filter((name) => name.startsWith('user.code')),
    ['user.code_off', 'user.code_off', 'user.code_on'],
  );

  const ben = await enter('/account/code', account('ben'));
  await world.age(11);
  const stale = await press(ben.browser, ben.page, '/account/code/off', { until });
  t.match(stale.url.pathname, /^\/login/, 'a fresh second factor');
  const pass = await ben.browser.submit(stale, { password: account('ben').password });
  const back = await ben.browser.submit(pass, { code: await world.code(numbers.ben) });
  t.equal(back.url.pathname, '/account/code');
  t.match(back.html, `value="${until}"`, 'what was typed is not lost');
  t.match(words(back), /press the button once more/);
  t.equal((await userOf('ben')).codeOff, false, 'and nothing has happened');
  await sql`update users set recovered_at = ${new Date()} where username = 'ben'`.execute(world.db);
  await press(ben.browser, back, '/account/code/off');
  t.equal((await userOf('ben')).codeOff, false, 'held back after a recovery');
});

t.test('where no app allows it, there is no switch', async (t) => {
  const world = await openAccounts(t, await postgresUrl(t), {
    apps: [appOf('bank', 'Bank', 'strict')],
    flows: [strict],
    users: [person('ada', numbers.ada)],
  });
  const { browser, page } = await world.enter('/account/phone', account('ada'));
  t.match(words(await browser.open(world.at('/account'))), /your apps ask everybody for it/);
  const forged = { ...page, html: page.html.replaceAll('"/account/phone"', '"/account/code/off"') };
  t.match(words(await press(browser, forged, '/account/code/off')), /requires the code/);
  t.equal((await world.userOf('ada')).codeOff, false);
});

t.test('backup codes', (t) =>
  eachDatabaseUrl(t, async (t, databaseUrl) => {
    const world = await openAccounts(t, databaseUrl, {
      gateway: { name: 'Sallyport', guard: generousGuard },
      apps: [{ ...apps[0], flow: 'lenient' }],
      flows: [lenient],
      users: [person('ada', numbers.ada, codes), person('ben', numbers.ben)],
    });
    const { at, enter, events, gateway, mailed, userOf } = world;
    const { browser, page } = await enter('/account/backup-codes', account('ada'));
    t.match(words(page), /Only 3 left. Make new ones/);
    const unsure = await press(browser, page, '/account/backup-codes');
    t.equal(unsure.status, 422);
    t.match(words(unsure), /Please tick the box/);
    const made = await press(browser, unsure, '/account/backup-codes', { confirm: 'on' });
    t.equal(made.status, 200);
    const shown = [...made.html.matchAll(/<code>([0-9A-Z]{5}-[0-9A-Z]{5})<\/code>/g)].map(
      ([, code]) => code ?? '',
    );
    t.equal(shown.length, 10);
    t.match(words(await browser.open(at('/account'))), /10 of 10 left/);
    const stored = await sql`select * from backup_codes`.execute(world.db);
    t.notMatch(JSON.stringify(stored.rows), shown[0]?.replace('-', '') ?? '-');
    t.ok(await mailed('ada@example.test', /You have new backup codes/));
    const log = await sql`select * from audit_events`.execute(world.db);
    t.ok((await events((await userOf('ada')).id)).includes('backup_codes.created'));
    for (const one of shown) t.notMatch(JSON.stringify(log.rows), one);

    await t.test('shown once: sent again the form voids nothing', async (t) => {
      const again = await press(browser, unsure, '/account/backup-codes', { confirm: 'on' });
      t.match(words(again), /can be seen once only/);
      for (const one of shown) t.notMatch(again.html, one);
    });

    await t.test('as a text file, without being read once more', async (t) => {
      const file = await press(browser, made, '/account/backup-codes/file');
      t.match(file.html, /^Backup codes for ada at Sallyport/);
      for (const one of shown) t.match(file.html, one);
      const foreign = await press(browser, made, '/account/backup-codes/file', { codes: '<script>alert(1)' });
      t.notMatch(foreign.html, /alert/, 'nothing but codes');
    });

    await t.test('down to the low warning and the last one, each told by mail', async (t) => {
      const app = await createTestApp(gateway, shop);
      const signInWith = async (backup: string) => {
        const start = await openLogin(app, createBrowser(), { prompt: 'login' });
        const password = await passPassword(app, start, {
          username: 'ada',
          password: account('ada').password,
        });
        await world.code(numbers.ada);
        const chosen = await password.browser.submit(password.page, { action: 'choose:backup-code' });
        const left = words(chosen);
        const done = await password.browser.submit(chosen, { code: backup }, app.isCallback);
        t.ok(app.isCallback(done.url), `${backup}: ${done.status}`);
        return left;
      };
      const said = [];
      for (const one of shown) said.push(await signInWith(one));
      t.notMatch(said[6], /left/);
      t.match(said[7], /You have 3 backup codes left/);
      t.match(said[9], /This is your last backup code/);
      const told = await mailed('ada@example.test', /A backup code was used/, 10);
      t.ok(told);
      const after = await enter('/account', account('ada'));
      t.match(words(after.page), /All are used up. Make new ones/);
      const used = (await events((await userOf('ada')).id)).filter((name) => name === 'backup_codes.used');
      t.equal(used.length, 10);
    });

    await t.test('the first ones', async (t) => {
      const ben = await enter('/account/backup-codes', account('ben'));
      const first = await press(ben.browser, ben.page, '/account/backup-codes');
      t.match(words(first), /Your new backup codes/, 'nothing to confirm');
      t.equal((await userOf('ben')).backupCodes, 10);
    });
  }),
);

t.test('an authenticator app', async (t) => {
  const databaseUrl = await postgresUrl(t);
  const world = await openAccounts(t, databaseUrl, {
    apps: [{ ...apps[0], flow: 'lenient' }],
    flows: [lenient],
    users: [person('ada', numbers.ada)],
  });
  const { at, enter, events, gateway, mailed, userOf } = world;
  const elsewhere = await enter('/account', account('ada'));
  const { browser, page } = await enter('/account/authenticator', account('ada'));
  const scan = await press(browser, page, '/account/authenticator');
  t.equal(scan.url.pathname, '/account/authenticator/new');
  const secret = secretIn(scan);
  t.equal(secretIn(await browser.open(scan.url)), secret, 'shown again while it is begun');
  t.notMatch(scan.html, /type="hidden" name="(?!_token)/, 'the seed is in no hidden field');
  const wrong = await press(browser, scan, '/account/authenticator/new', {
    code: '000000',
    label: 'Pocket',
  });
  t.equal(wrong.status, 422);
  t.match(wrong.html, /value="Pocket"/);
  const now = new Date();
  const added = await press(browser, wrong, '/account/authenticator/new', {
    code: codeAt(secret, now),
    label: 'Pocket',
  });
  t.match(words(added), /Your authenticator app is set up.*Pocket/);
  t.ok(await mailed('ada@example.test', /A way of signing in was added/));
  t.match((await elsewhere.browser.open(at('/account'))).url.pathname, /^\/login/, 'signed out elsewhere');

  const app = await createTestApp(gateway, shop);
  const walk = await passPassword(app, await openLogin(app), {
    username: 'ada',
    password: account('ada').password,
  });
  const chosen = await walk.browser.submit(walk.page, { action: 'choose:totp' });
  const code = codeAt(secret, new Date(now.getTime() + 30_000));
  const done = await walk.browser.submit(chosen, { code }, app.isCallback);
  t.ok(app.isCallback(done.url), 'used instead of a message');
  t.same((await app.exchange(walk.attempt, done.url)).claims()?.amr, ['pwd', 'otp', 'mfa']);

  const list = await browser.open(at('/account/authenticator'));
  const removed = await press(browser, list, /remove$/);
  t.match(words(removed), /That app is removed/);
  t.notMatch(words(removed), /Pocket/);
  t.ok(await mailed('ada@example.test', /A way of signing in was removed/));
  const names = await events((await userOf('ada')).id);
  t.same(
    names.filter((name) => name.startsWith('user.factor')),
    ['user.factor_added', 'user.factor_removed'],
  );
});

t.test('who would be locked out keeps the last way in', async (t) => {
  const only = flowOf('only', second(['totp', 'backup-code'], { onUnavailable: 'fail' }));
  const sms = flowOf('sms', second(['sms-otp', 'backup-code'], { userMayDisable: true }));
  const world = await openAccounts(t, await postgresUrl(t), {
    apps: [appOf('shop', 'Shop', 'sms'), appOf('bank', 'Bank', 'only')],
    flows: [only, sms],
    users: [person('ada', numbers.ada, codes)],
  });
  const { browser, page } = await world.enter('/account/authenticator', account('ada'));
  const scan = await press(browser, page, '/account/authenticator');
  const secret = secretIn(scan);
  const added = await press(browser, scan, '/account/authenticator/new', {
    code: codeAt(secret, new Date()),
  });
  t.match(words(added), /App without a name/);
  const refused = await press(browser, added, /remove$/);
  t.equal(refused.status, 409);
  t.match(words(refused), /Without it you could not sign in to Bank any more/, 'backup codes run out');
  const phone = await browser.open(world.at('/account/phone'));
  t.match(
    words(await press(browser, phone, '/account/phone/remove')),
    /Without a number you could not sign in to Shop any more/,
  );
});
