import t, { type Test } from 'tap';
import type { StepDocument } from '../../src/flows/documents/schema.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import {
  ada,
  appDocument,
  type Browser,
  heading,
  newestCode,
  openWorld,
  passwordThenCode,
  type World,
} from './harness.ts';

/** What has gone wrong in other products, each by its name. */

const minute = 60_000;
const credentials = { username: 'ada', password: ada.password ?? '' };
const { phone: _, phoneVerified: __, ...numberless } = ada;

const first: StepDocument = { id: 'first', options: ['password'] };
const insisting: StepDocument[] = [first, { id: 'second', options: ['sms-otp'] }];

type Work = (t: Test, world: World, storage: Storage) => Promise<void>;

const accident = (name: string, steps: StepDocument[], work: Work) =>
  t.test(name, (t) =>
    forEachDatabase(t, async (t, storage) => work(t, await openWorld(t, storage, steps), storage)),
  );

const statusOf = async (storage: Storage, { loginId }: Browser) =>
  (await storage.db.selectFrom('logins').select('status').where('id', '=', loginId).executeTakeFirst())
    ?.status;

accident('a second tab skips the code', passwordThenCode, async (t, world, storage) => {
  await world.addUser();
  const one = await world.browser();
  const old = await one.get();
  await one.submit(credentials);
  const other = await world.browser();
  Object.assign(other.cookies, { ...one.cookies, 'sp-login': other.cookies['sp-login'] });
  t.equal(heading(await other.get()), 'Sign in', 'another login begins at its first step');
  for (const form of [credentials, { action: 'continue' }, { action: 'choose:password' }]) {
    await one.post(form, old);
    t.equal(heading(await one.get()), 'Enter code', 'the older page of the same one moves nothing on');
  }
  t.equal(await statusOf(storage, one), 'running');
});

accident('a step is skipped by a forged request', insisting, async (t, world, storage) => {
  await world.addUser();
  const browser = await world.browser();
  await browser.submit(credentials);
  for (const form of [
    { action: 'continue' },
    { action: 'later' },
    { action: 'choose:backup-code' },
    { action: 'choose:password', ...credentials },
    { action: 'other-ways' },
    { action: 'set-up' },
    { remember: 'on' },
    { remember: 'on', code: '' },
    { step: 'second', passed: 'true', proved: 'true' },
    { action: 'submit', phone: '+447700900999' },
    { ...credentials },
  ] as Record<string, string>[]) {
    await browser.post(form);
    t.equal(await statusOf(storage, browser), 'running', JSON.stringify(form));
    t.notOk(browser.cookies['sp-remembered']);
  }
  t.equal(heading(await browser.submit({ code: newestCode(world) })), '', 'the code does');
  t.equal(await statusOf(storage, browser), 'finished');
});

accident(
  'the second factor is skipped for users who have only backup codes',
  [first, { id: 'second', options: ['sms-otp', 'backup-code'], onUnavailable: 'skip', userMayDisable: true }],
  async (t, world, storage) => {
    await world.addUser({ ...numberless, backupCodes: ['7K0D1-XW3QP'] });
    const browser = await world.browser();
    t.equal(heading(await browser.submit(credentials)), 'Use a backup code');
    await browser.submit({ code: '7K0D1-XW3QP' });
    t.equal(await statusOf(storage, browser), 'finished');
  },
);

accident('the code of one login is used in another', passwordThenCode, async (t, world, storage) => {
  await world.addUser();
  const mine = await world.browser();
  await mine.submit(credentials);
  const code = newestCode(world);
  world.clock.pass(minute);
  const other = await world.browser();
  await other.submit(credentials);
  t.not(newestCode(world), code);
  await other.submit({ code });
  t.equal(await statusOf(storage, other), 'running');
  await mine.submit({ code });
  t.equal(await statusOf(storage, mine), 'finished', 'it is right in its own');
});

accident(
  'a phone is set up with only the password where policy forbids it',
  insisting,
  async (t, world, storage) => {
    const user = await world.addUser(numberless);
    const browser = await world.browser();
    t.equal(heading(await browser.submit(credentials)), 'We cannot go on here');
    for (const form of [
      { phone: '+447700900999' },
      { action: 'send', phone: '+447700900999' },
      { action: 'choose:sms-otp', phone: '+447700900999' },
      { action: 'change', phone: '+447700900999' },
    ]) {
      await browser.post(form);
      t.equal(await statusOf(storage, browser), 'running', JSON.stringify(form));
    }
    t.equal(world.messages.length, 0);
    t.equal((await world.users.findById(storage.db, user.id))?.phone, null);
  },
);

accident('the number is removed to escape the code', insisting, async (t, world, storage) => {
  const user = await world.addUser({ ...ada, codeOff: true });
  const browser = await world.browser();
  t.equal(heading(await browser.submit(credentials)), 'Enter code', 'switching it off does not help either');
  await storage.db
    .updateTable('users')
    .set({ phone: null, phone_verified: false })
    .where('id', '=', user.id)
    .execute();
  const next = await world.browser();
  t.equal(heading(await next.submit(credentials)), 'We cannot go on here');
  t.equal(await statusOf(storage, next), 'running');
});

accident(
  'something weaker elsewhere satisfies the step of another app',
  [
    first,
    { id: 'second', options: ['sms-otp', 'backup-code'], remember: '30d', when: '!device.known' },
    { id: 'third', options: ['backup-code'], when: 'app.id == "other"' },
  ],
  async (t, world, storage) => {
    const user = await world.addUser({ ...ada, backupCodes: ['7K0D1-XW3QP', '3MN8V-T5R2A'] });
    const other = { ...appDocument, id: 'other' };
    const bank = { ...appDocument, id: 'bank', flow: 'main' };
    const browser = await world.browser({ app: other, continuationKey: 'weak' });
    await browser.submit(credentials);
    await browser.submit({ action: 'choose:backup-code' });
    await browser.submit({ code: '7K0D1-XW3QP', remember: 'on' });
    await browser.submit({ code: '3MN8V-T5R2A' });
    const { result } = (await world.flows.findByContinuation(storage.db, 'weak')) ?? {};
    const session = await world.sessions.find(storage.db, result?.sessionId ?? '', world.clock.now());
    if (!session) throw new Error('no session');
    const cookie = browser.cookies['sp-remembered'];
    t.ok(cookie, 'remembered at the other app');
    const sender = { ip: '127.0.0.1', userAgent: 'test', rememberedCookie: cookie };
    const enough = (app: typeof bank, more: object = {}) =>
      world.flows.satisfies(
        storage.db,
        { session, user, app, acr: [], maxAgeMs: null, browser: sender, ...more },
        world.clock.now(),
      );
    t.equal(await enough(bank), true, 'a backup code is an option of its step as well');
    const alone = { ...session, factors: session.factors.filter(({ method }) => method === 'password') };
    t.equal(
      await enough(bank, { session: alone }),
      false,
      'but not that the other app remembers the browser',
    );
    t.equal(await enough(other, { session: alone }), false, 'which it does for one step');
    await world.publish([
      first,
      { id: 'second', options: ['sms-otp'], remember: '30d', when: '!device.known' },
    ]);
    t.equal(await enough(bank), false, 'a weaker option');
    t.equal(await enough(other), false, 'nor where it was shown, once it is no option any more');
    const login = await world.browser({ app: bank, session, rememberedCookie: cookie });
    Object.assign(login.cookies, { 'sp-remembered': cookie });
    t.equal(heading(await login.get()), 'We will send you a code', 'the skips of another app');
    await login.submit({ action: 'continue' });
    t.equal(await statusOf(storage, login), 'running');
  },
);

accident(
  'a step that was skipped elsewhere satisfies that of another app',
  [first, { id: 'second', options: ['sms-otp'], userMayDisable: true, remember: '30d' }],
  async (t, world, storage) => {
    const user = await world.addUser({ ...ada, codeOff: true });
    const browser = await world.browser({ continuationKey: 'off', acr: [] });
    t.equal(heading(await browser.submit(credentials)), '', 'skipped, as the user wished');
    const { result } = (await world.flows.findByContinuation(storage.db, 'off')) ?? {};
    const session = await world.sessions.find(storage.db, result?.sessionId ?? '', world.clock.now());
    await world.publish(insisting);
    const asks = { user, app: { ...appDocument, id: 'bank' }, acr: [], maxAgeMs: null };
    if (!session) throw new Error('no session');
    t.equal(await world.flows.satisfies(storage.db, { session, ...asks }, world.clock.now()), false);
    const login = await world.browser({ session });
    t.equal(heading(await login.get()), 'We will send you a code');
    await login.submit({ action: 'continue' });
    t.equal(await statusOf(storage, login), 'running');
  },
);

accident(
  'an old factor of a session satisfies a step that wants a young one',
  [first, { id: 'second', options: ['sms-otp'], maxAge: '10m' }],
  async (t, world, storage) => {
    const user = await world.addUser();
    const browser = await world.browser({ continuationKey: 'once' });
    await browser.submit(credentials);
    await browser.submit({ code: newestCode(world) });
    const { result } = (await world.flows.findByContinuation(storage.db, 'once')) ?? {};
    const find = () => world.sessions.find(storage.db, result?.sessionId ?? '', world.clock.now());
    const enough = async () => {
      const session = await find();
      const asks = { user, app: appDocument, acr: [], maxAgeMs: null };
      return session && world.flows.satisfies(storage.db, { session, ...asks }, world.clock.now());
    };
    world.clock.pass(10 * minute);
    t.equal(await enough(), true, 'to the minute');
    world.clock.pass(1);
    t.equal(await enough(), false);
    const session = await find();
    const again = await world.browser({ continuationKey: 'again', session });
    t.equal(heading(await again.get()), 'We will send you a code', 'only the code, not the password');
    await again.submit({ action: 'send' });
    await again.submit({ code: newestCode(world) });
    t.equal(await statusOf(storage, again), 'finished');
    t.equal(await enough(), true);
  },
);
