import t from 'tap';
import type { NewMessage } from '../../src/delivery/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import {
  ada,
  type Browser,
  browserOn,
  events,
  heading,
  newestCode,
  openWorld,
  passwordThenCode,
  type World,
} from './harness.ts';
import { codeAt, giveApp, seed } from './totp-support.ts';

/** A forgotten password: how it is replaced, and what a reset must never be. */

const chosen = 'seven grey herons wade';

const both = { recovery: { enabled: true, channels: ['email', 'sms'] } };

/** Presses “Forgot password?”; answers the browser on the run that begins. */
async function forget(world: World, browser: Browser): Promise<Browser> {
  const binding = browser.cookies['sp-login'] ?? '';
  const { location = '', cookies } = await browser.post({ action: 'recover' });
  browser.cookies['sp-login'] = binding;
  const id = new URL(location, 'http://localhost').searchParams.get('login') ?? '';
  return browserOn(world, id, { 'sp-login': cookies['sp-login'] ?? '' });
}

/** All the way to the new password; answers what follows it. */
async function reset(world: World, browser: Browser, channel: 'email' | 'sms', name = 'ada') {
  const run = await forget(world, browser);
  await run.submit({ username: name });
  await run.submit({ action: `choose:reset-${channel}` });
  await run.submit({ code: newestCode(world) });
  return { run, answer: await run.post({ password: chosen }) };
}

const setUp = async (t: Tap, storage: World['storage'], steps = passwordThenCode) => {
  const world = await openWorld(t, storage, steps);
  Object.assign(world.written, both);
  return { world, user: await world.addUser() };
};

type Tap = Parameters<typeof openWorld>[0];

t.test('a forgotten password is replaced', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { world, user } = await setUp(t, storage);
    const session = await storage.transaction((tx) =>
      world.sessions.create(
        tx,
        { userId: user.id, factors: [], ip: null, userAgent: null },
        world.clock.now(),
      ),
    );
    const browser = await world.browser();
    t.match((await browser.get()).body, 'Forgot password?');
    const { run, answer } = await reset(world, browser, 'email');

    t.equal(answer.status, 303);
    t.equal(
      answer.location,
      `https://login.shop.test/sign-in?login=${browser.loginId}`,
      'back to the sign-in',
    );
    const sent = world.messages.map(({ channel, purpose, to }: NewMessage) => ({ channel, purpose, to }));
    t.same(sent, [{ channel: 'email', purpose: 'reset-code', to: ada.email }]);
    t.notOk(await world.sessions.find(storage.db, session.id, world.clock.now()), 'every session has ended');
    t.same(
      world.notices.map(({ kind, notTo }) => ({ kind, notTo })),
      [{ kind: 'recovered', notTo: 'email' }],
    );
    t.ok((await events(world, run.loginId)).includes('user.recovered'));
    const sessions = await storage.db.selectFrom('sessions').select('id').execute();
    t.equal(sessions.length, 1, 'it is no sign-in by itself');

    t.match((await browser.get()).body, 'Your new password is set.');
    t.match((await browser.submit({ username: 'ada', password: ada.password ?? '' })).body, 'do not match');
    await browser.submit({ username: 'ada', password: chosen });
    const finished = await browser.submit({ code: newestCode(world) });
    t.equal(finished.location, '/authorize/resume', 'a code to the phone is another channel than the mail');
  }),
);

t.test('the channel of a reset serving as second factor of the same login', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const cases = [
      { name: 'the only one' },
      { name: 'skipped where there is none', step: { onUnavailable: 'skip' as const } },
      {
        name: 'set up where there is none',
        step: { onUnavailable: 'enrol' as const },
        options: ['sms-otp', 'totp'],
      },
    ];
    for (const { name, step, options = ['sms-otp'] } of cases) {
      const { world } = await setUp(t, storage, [
        { id: 'first', options: ['password'] },
        { id: 'second', options, ...step },
      ]);
      const browser = await world.browser();
      await reset(world, browser, 'sms');
      const before = world.messages.length;
      const page = await browser.submit({ username: 'ada', password: chosen });
      t.equal(heading(page), 'We cannot go on here', name);
      t.match(page.body, 'the same phone cannot be the second step');
      t.equal(world.messages.length, before, 'nothing is sent');
      t.equal((await browser.post({ action: 'choose:sms-otp' })).status, 303);
      t.equal(heading(await browser.get()), 'We cannot go on here', 'not by a forged choice either');
      await storage.db.deleteFrom('users').execute();
      await storage.db.deleteFrom('counters').execute();
      await storage.db.deleteFrom('send_histories').execute();
    }
  }),
);

t.test('another factor than the channel of the reset goes on', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { world, user } = await setUp(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp', 'totp'] },
    ]);
    await giveApp(world, user);
    const browser = await world.browser();
    await reset(world, browser, 'sms');
    await browser.submit({ username: 'ada', password: chosen });
    const screen = await browser.screen();
    t.equal(screen.name, 'totp', 'the only way that is open is taken at once');
    t.notOk(screen.actions.some(({ name }) => name === 'choose:sms-otp'));
    const answer = await browser.submit({ code: codeAt(seed, world.clock.now()) });
    t.equal(answer.location, '/authorize/resume');

    world.clock.pass(60_000);
    const later = await world.browser();
    await later.submit({ username: 'ada', password: chosen });
    const names = (await later.screen()).actions.map(({ name }) => name);
    t.ok(names.includes('choose:sms-otp'), 'a sign-in that begins afterwards is another one');
  }),
);

t.test('a reset flow reached without its first step', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { world, user } = await setUp(t, storage);
    const browser = await world.browser();
    const run = await forget(world, browser);
    for (const fields of [
      { password: chosen },
      { action: 'choose:new-password', password: chosen },
      { action: 'continue' },
      { code: '123456' },
      { action: 'later' },
    ]) {
      await run.post(fields);
      t.equal(heading(await run.get()), 'Forgot your password?', JSON.stringify(fields));
    }
    await run.submit({ username: 'ada' });
    for (const fields of [{ password: chosen }, { action: 'choose:new-password', password: chosen }]) {
      await run.post(fields);
      t.not(heading(await run.get()), 'Choose a new password', 'nor without the code');
    }
    const present = await world.users.findById(storage.db, user.id);
    t.ok(await world.users.verifyPassword(storage.db, present, ada.password ?? ''), 'nothing has changed');
  }),
);

t.test('the code of a reset used in a login, and the other way round', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { world } = await setUp(t, storage);
    const login = await world.browser();
    await login.submit({ username: 'ada', password: ada.password ?? '' });
    const codeOfLogin = newestCode(world);
    const other = await world.browser();
    world.clock.pass(60_000);
    const run = await forget(world, other);
    await run.submit({ username: 'ada' });
    await run.submit({ action: 'choose:reset-sms' });
    const codeOfReset = newestCode(world);
    if (codeOfLogin !== codeOfReset) {
      t.equal((await login.post({ code: codeOfReset })).status, 422);
      t.equal((await run.post({ code: codeOfLogin })).status, 422);
    }
    t.equal((await run.post({ code: codeOfReset })).status, 303, 'each works where it belongs');
    t.equal((await login.post({ code: codeOfLogin })).status, 303);
  }),
);

t.test('a run for a name that no account has looks the same', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { world } = await setUp(t, storage);
    await world.addUser({ username: 'grace', password: 'moth in relay seventy' });
    const pages: Record<string, string[]> = {};
    for (const name of ['ada', 'grace', 'nobody']) {
      const run = await forget(world, await world.browser());
      const seen: string[] = [];
      const note = async (fields: Record<string, string>) => {
        const { body, status } = await run.submit(fields);
        const plain = body
          .replaceAll(name, 'NAME')
          .replace(/value="[^"]*"/g, '')
          .replace(/lgn_[\w-]+/g, '');
        seen.push(`${status} ${plain}`);
      };
      await note({ username: name });
      await note({ action: 'choose:reset-email' });
      await note({ code: '000000' });
      await note({ action: 'resend' });
      await note({ code: '' });
      pages[name] = seen;
    }
    t.same(pages.nobody, pages.ada, 'unknown like known');
    t.same(pages.grace, pages.ada, 'without an address like with one');
    t.equal(world.messages.length, 1, 'and only one message went out');
  }),
);

t.test('a login that is under way with the old password', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { world } = await setUp(t, storage);
    const thief = await world.browser();
    await thief.submit({ username: 'ada', password: ada.password ?? '' });
    const code = newestCode(world);
    world.clock.pass(60_000);
    await reset(world, await world.browser(), 'email');
    await thief.post({ code });
    const row = await storage.db
      .selectFrom('logins')
      .select(['status', 'result'])
      .where('id', '=', thief.loginId);
    t.match(await row.executeTakeFirst(), { status: 'failed', result: null });
    t.match((await thief.get()).body, 'has changed meanwhile');
    const sessions = await storage.db.selectFrom('sessions').select('id').execute();
    t.same(sessions, []);
  }),
);

t.test('weak passwords, and where nothing is replaced', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { world } = await setUp(t, storage);
    const browser = await world.browser();
    const run = await forget(world, browser);
    await run.submit({ username: 'ada' });
    await run.submit({ action: 'choose:reset-email' });
    await run.submit({ code: newestCode(world) });
    for (const password of ['short', 'password123', 'ada@example.test']) {
      t.equal((await run.post({ password })).status, 422, password);
    }
    const page = await run.get();
    t.equal((await run.post({ password: chosen }, page)).status, 303);
    t.equal((await run.post({ password: 'another one of mine' }, page)).status, 303);
    const user = await world.users.findByIdentifier(storage.db, 'ada');
    t.ok(await world.users.verifyPassword(storage.db, user, chosen), 'a second one comes too late');

    world.written.recovery = { enabled: false };
    const off = await world.browser();
    t.notMatch((await off.get()).body, 'Forgot password?');
    t.equal((await off.post({ action: 'recover' })).status, 422, 'a forged button is none');
  }),
);
