import { sql } from 'kysely';
import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, events, heading, openWorld } from './harness.ts';
import {
  codeAt,
  giveApp,
  grace,
  keyOn,
  passwordThenApp,
  past,
  resultOf,
  seed,
  wrongCode,
} from './totp-support.ts';

const minute = 60_000;

t.test('set up in a login, then used', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenApp);
    const user = await world.addUser(grace);
    const browser = await past(world, { continuationKey: 'first' });
    const start = await browser.get();
    t.equal(heading(start), 'Set up an authenticator app');
    t.notMatch(start.body, 'Not now', 'no time was given');

    const scan = await browser.submit({ action: 'set-up' });
    t.equal(heading(scan), 'Add it to your app');
    t.match(
      scan.body,
      /<svg viewBox="0 0 (\d+) \1" role="img" aria-label="QR code for your authenticator app"/,
    );
    const secret = keyOn(scan);
    t.match(secret, /^[A-Z2-7]{32}$/, '160 bits');
    const address = /href="(otpauth:[^"]+)"/
      .exec(scan.body)?.[1]
      ?.replaceAll('&amp;', '&')
      .replaceAll('&#x3D;', '=');
    t.equal(
      address,
      `otpauth://totp/Sallyport:grace?issuer=Sallyport&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    );
    const hidden = [...scan.body.matchAll(/<input type="hidden"[^>]*>/g)].join();
    t.notMatch(hidden, secret, 'no hidden field has it');
    t.equal(keyOn(await browser.get()), secret, 'a reload shows the same');
    t.notMatch(await everything(), secret, 'nothing in the database has it in clear');

    async function everything(): Promise<string> {
      const { rows } = await sql`select (select jsonb_agg(l) from logins l) as logins,
        (select jsonb_agg(c) from credentials c) as credentials,
        (select jsonb_agg(a) from audit_events a) as events`.execute(storage.db);
      return JSON.stringify(rows);
    }

    const empty = await browser.submit({ code: '' });
    t.match(empty.body, 'Please type the code that your app shows.');
    const wrong = await browser.submit({ code: wrongCode(secret, world.clock.now()) });
    t.equal(wrong.status, 422);
    t.match(wrong.body, 'That is not the code that the app shows now.');
    t.equal(keyOn(wrong), secret, 'and the picture stays');

    const code = codeAt(secret, world.clock.now());
    t.equal(
      (await browser.submit({ code: `${code.slice(0, 3)} ${code.slice(3)}` })).location,
      '/authorize/resume',
    );
    t.match(await resultOf(world, 'first'), {
      ...{ status: 'finished', amr: ['pwd', 'otp', 'mfa'], acr: 'urn:sallyport:acr:2' },
    });
    t.notMatch(await everything(), secret);
    t.match(await storage.db.selectFrom('credentials').selectAll().execute(), [
      {
        ...{ user_id: user.id, type: 'totp', data: { digits: 6, period: 30, algorithm: 'SHA1' } },
        ...{ session_id: null, expires_at: null },
      },
    ]);
    t.ok((await events(world, browser.loginId)).includes('user.factor_added'));

    const again = await past(world, { continuationKey: 'second' });
    const page = await again.get();
    t.equal(heading(page), 'Enter code');
    t.match(page.body, /autocomplete="one-time-code" inputmode="numeric" minlength="6" data-length="6"/);
    t.match(
      (await again.submit({ code })).body,
      'This code has already been used.',
      'the code of the set-up',
    );
    world.clock.pass(minute);
    t.equal((await again.submit({ code: codeAt(secret, world.clock.now()) })).location, '/authorize/resume');
    t.match(await resultOf(world, 'second'), { amr: ['pwd', 'otp', 'mfa'] });
    t.match(await storage.db.selectFrom('credentials').selectAll().execute(), [
      { last_used_at: world.clock.now() },
    ]);
    t.ok((await events(world, again.loginId)).includes('login.step.failed:used'));
  }),
);

t.test('for people who draw their own pages', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      passwordThenApp[0]!,
      {
        id: 'second',
        options: [{ totp: { digits: 8, algorithm: 'SHA256', issuer: 'Demo' } }],
        onUnavailable: 'enrol',
      },
    ]);
    await world.addUser(grace);
    const browser = await past(world);
    const { version } = await browser.screen();
    const { body } = await browser.json({ action: 'set-up', version });
    const figure = body.screen?.figure;
    t.match(figure, { alt: 'QR code for your authenticator app', size: Number, path: String });
    const address = new URL(figure?.href ?? '');
    t.equal(decodeURIComponent(address.pathname), '/Demo:grace');
    const { secret = '', ...rest } = Object.fromEntries(address.searchParams);
    t.strictSame(rest, { issuer: 'Demo', algorithm: 'SHA256', digits: '8', period: '30' });
    t.equal(figure?.typing.value.replaceAll(' ', ''), secret);
    t.match(body.screen?.notices, [{ text: /8 digits, a new code every 30 seconds, SHA256/ }]);
    const code = codeAt(secret, world.clock.now(), { digits: 8 });
    t.match((await browser.json({ code, version: body.screen?.version })).body, {
      screen: { fields: [{ error: /not the code/ }] },
    });
    const right = codeAt(secret, world.clock.now(), { digits: 8, algorithm: 'SHA256' });
    t.match((await browser.json({ code: right, version: body.screen?.version })).body, { next: String });
    const again = await past(world);
    t.equal((await again.screen()).fields[0]?.length, 8, 'as it was set up');
  }),
);

t.test('instead of the message', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp', 'totp', 'backup-code'], userMayDisable: true },
    ]);
    const user = await world.addUser({ ...ada, ...grace });
    await giveApp(world, user);
    const browser = await past(world, { continuationKey: 'chosen' });
    t.equal(heading(await browser.get()), 'How would you like to go on?');
    t.equal(world.messages.length, 0);
    t.equal(heading(await browser.submit({ action: 'choose:totp' })), 'Enter code');
    await browser.submit({ code: codeAt(seed, world.clock.now()) });
    t.match(await resultOf(world, 'chosen'), { amr: ['pwd', 'otp', 'mfa'] });
    t.equal(world.messages.length, 0, 'nothing was sent');

    await storage.transaction((tx) => world.users.setCodeOff(tx, user.id, true, null, world.clock.now()));
    const off = await past(world);
    t.equal(heading(await off.get()), 'Enter code', 'switching the code off removes only the message');
    t.match((await off.get()).body, 'authenticator app');
    t.equal(world.messages.length, 0);
  }),
);

t.test('five wrong codes lock it for five minutes, and nothing else', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenApp);
    const user = await world.addUser({ ...grace, backupCodes: ['KTQ7X-M3WPA'] });
    await giveApp(world, user);
    const code = wrongCode(seed, world.clock.now());
    const browser = await past(world);
    for (let n = 0; n < 4; n++) t.equal((await browser.submit({ code })).status, 422);
    const locked = await browser.submit({ code });
    t.equal(heading(locked), 'Too many tries');
    t.match(locked.body, 'You can try again in 5 minutes, or go on another way.');

    const other = await past(world);
    const right = await other.submit({ code: codeAt(seed, world.clock.now()) });
    t.equal(heading(right), 'Too many tries', 'in another login, too, and with the right code');
    world.clock.pass(5 * minute + 1);
    t.equal(heading(await other.submit({ action: 'choose:totp' })), 'Enter code');
    t.equal((await other.submit({ code: codeAt(seed, world.clock.now()) })).location, '/authorize/resume');

    t.equal(heading(await browser.submit({ action: 'choose:backup-code' })), 'Use a backup code');
    t.equal((await browser.submit({ code: 'KTQ7X-M3WPA' })).location, '/authorize/resume');
  }),
);

t.test('before a factor was passed nobody can tell who has an app', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'app', options: ['totp'] },
    ]);
    const user = await world.addUser(grace);
    await giveApp(world, user);
    await world.addUser(ada);
    const code = wrongCode(seed, world.clock.now());
    const seen: Record<string, string[]> = {};
    const plain = (body: string, name: string) =>
      body
        .replaceAll(name, 'NAME')
        .replace(/name="_token" value="[^"]*"/, '')
        .replace(/lgn_[\w-]+/g, '');
    for (const name of ['grace', 'ada', 'nobody']) {
      const browser = await world.browser();
      const pages = [await browser.submit({ username: name })];
      for (let n = 0; n < 6; n++) pages.push(await browser.submit({ code }));
      seen[name] = pages.map(({ body, status }) => `${status} ${plain(body, name)}`);
    }
    t.strictSame(seen.ada, seen.nobody);
    t.strictSame(seen.grace, seen.nobody);
    world.clock.pass(5 * minute + 1);

    const browser = await world.browser({ continuationKey: 'alone' });
    await browser.submit({ username: 'grace' });
    await browser.submit({ code: codeAt(seed, world.clock.now()) });
    t.match(await resultOf(world, 'alone'), { amr: ['otp'], acr: 'urn:sallyport:acr:1' });

    // What is counted under one name holds for the account, whatever it is called by next.
    await world.publish([
      { id: 'who', options: ['identify'] },
      { id: 'app', options: ['totp'] },
    ]);
    const replay = await world.browser();
    await replay.submit({ username: 'grace' });
    const used = await replay.submit({ code: codeAt(seed, world.clock.now()) });
    t.match(used.body, 'That is not the code', 'that it was right once is not told');
  }),
);

t.test('who has an app gets no other one by the password alone', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenApp);
    await world.addUser(grace);
    const [one, other] = [await past(world), await past(world)];
    const secrets = [];
    for (const browser of [one, other]) secrets.push(keyOn(await browser.submit({ action: 'set-up' })));
    t.not(secrets[0], secrets[1]);
    await one.submit({ code: codeAt(secrets[0]!, world.clock.now()) });
    const late = await other.submit({ code: codeAt(secrets[1]!, world.clock.now()) });
    t.equal(heading(late), 'Enter code', 'it is asked for instead');
    t.equal((await storage.db.selectFrom('credentials').select('id').execute()).length, 1);

    const third = await past(world);
    const forged = await third.submit({ action: 'set-up' });
    t.equal(keyOn(forged), '', 'and none is made for who asks for one');
    t.equal(heading(forged), 'Enter code');
  }),
);

t.test('nor another factor, once one of them is there', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      passwordThenApp[0]!,
      { id: 'second', options: ['totp', 'sms-otp'], onUnavailable: 'enrol' },
    ]);
    const user = await world.addUser(grace);
    const [app, number, idle] = [await past(world), await past(world), await past(world)];
    await app.submit({ action: 'choose:totp' });
    const secret = keyOn(await app.submit({ action: 'set-up' }));
    t.equal(heading(await number.submit({ action: 'choose:sms-otp' })), 'Add your phone number');

    const theirs = '+447700900167';
    await storage.transaction((tx) => world.users.setVerifiedPhone(tx, user.id, theirs, world.clock.now()));
    const refused = await app.submit({ code: codeAt(secret, world.clock.now()) });
    t.equal(heading(refused), 'Enter code');
    t.match(refused.body, 'Sent to ••••• 67 by SMS.');
    t.strictSame(await storage.db.selectFrom('credentials').select('id').execute(), []);
    await number.submit({ phone: '+447700900199' });
    t.strictSame(
      world.messages.map(({ to }) => to),
      [theirs],
      'nothing goes to a number that was typed',
    );
    t.equal(heading(await idle.submit({ action: 'choose:totp' })), 'Set up an authenticator app');
    t.equal(keyOn(await idle.submit({ action: 'set-up' })), '', 'and no secret is made');
  }),
);
