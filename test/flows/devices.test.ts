import t, { type Test } from 'tap';
import type { StepDocument } from '../../src/flows/documents/schema.ts';
import type { StartLogin } from '../../src/flows/types.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { ada, appDocument, events, newestCode, openWorld, type World } from './harness.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const credentials = { username: 'ada', password: ada.password ?? '' };

const remembering: StepDocument[] = [
  { id: 'first', options: ['password'] },
  { id: 'second', options: ['sms-otp', 'backup-code'], remember: '30d' },
];
const newDevice: StepDocument[] = [
  { id: 'first', options: ['password'] },
  { id: 'second', options: ['sms-otp'], when: '!device.known' },
];

/** One person's browser through several logins. */
function visitor(world: World, cookies: Record<string, string> = {}) {
  return {
    cookies,
    /** Signs in with the password, and with the code where it is asked. Answers whether it was. */
    async login(more: Record<string, string> = {}, start: Partial<StartLogin> = {}): Promise<Signed> {
      const browser = await world.browser({ rememberedCookie: cookies['sp-remembered'], ...start });
      Object.assign(browser.cookies, cookies);
      let page = await browser.submit(credentials);
      const asked = page.body.includes('Enter code');
      if (asked) page = await browser.submit({ code: newestCode(world), ...more });
      const { 'sp-login': _, ...kept } = browser.cookies;
      Object.assign(cookies, kept);
      return { asked, finished: page.location === '/authorize/resume', loginId: browser.loginId };
    },
  };
}

interface Signed {
  asked: boolean;
  finished: boolean;
  loginId: string;
}

/** Many logins in little time: without the limits that one person's number would meet. */
async function openDevices(t: Test, storage: Storage, steps: StepDocument[]): Promise<World> {
  const world = await openWorld(t, storage, steps);
  const many = ['999 in 1s'];
  const limits = { perNumber: many, perUser: many, perAddress: many, perNetwork: many, perPrefix: many };
  const passwords = { perAccount: 100, perDevice: 100 };
  world.written = { guard: { passwords, sends: { ...limits, modes: { 'first-contact': 'record' } } } };
  return world;
}

const tick = { remember: 'on' };

t.test('a browser goes without the step that was passed in it', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openDevices(t, storage, remembering);
    const user = await world.addUser();
    const mine = visitor(world);
    const page = await world.browser();
    t.notMatch((await page.get()).body, 'name="remember"', 'not beside the password');
    const code = await page.submit(credentials);
    t.match(code.body, 'Remember this browser for 30 days');
    t.notMatch(code.body, 'checked', 'and not ticked');
    const wrong = await page.post({ code: '000000', remember: 'on' });
    t.match(wrong.body, /name="remember"[^>]* checked/, 'a mistake does not lose the wish');
    world.clock.pass(minute);

    t.strictSame({ ...(await mine.login()), loginId: '' }, { asked: true, finished: true, loginId: '' });
    t.notOk(mine.cookies['sp-remembered'], 'who does not tick is not remembered');
    await mine.login(tick);
    const first = mine.cookies['sp-remembered'] ?? '';
    t.match(first, /^rdv_/);
    const next = await mine.login();
    t.strictSame([next.asked, next.finished], [false, true]);
    t.ok((await events(world, next.loginId)).includes('login.step.skipped:remembered'));
    t.not(mine.cookies['sp-remembered'], first, 'its cookie changes at each use');
    const { db } = storage;
    const login = await db.selectFrom('logins').select('result').where('id', '=', next.loginId).execute();
    t.strictSame(login[0]?.result?.amr, ['pwd'], 'an excuse is no factor');

    t.ok((await visitor(world).login()).asked, 'another browser');
    t.ok((await mine.login({}, { app: { ...appDocument, id: 'other' } })).asked, 'another app');
    t.ok((await mine.login({}, { acr: ['urn:sallyport:acr:2'] })).asked, 'two factors are asked for');
    t.ok((await mine.login({}, { maxAgeMs: 60 * minute })).asked, 'a fresh sign-in is asked for');
    t.notOk((await mine.login()).asked);

    const [device, ...more] = await world.devices.list(db, user.id, world.clock.now());
    t.equal(more.length, 0, 'one device through all of them');
    t.equal(device?.id, world.devices.idOf(mine.cookies['sp-remembered'], user.id));
    world.clock.pass(29 * day);
    t.notOk((await mine.login()).asked, 'counted from when it was passed with the wish');
    world.clock.pass(2 * day);
    t.ok((await mine.login(tick)).asked, 'and not from the last use');
    t.notOk((await mine.login()).asked);
    await world.publish([remembering[0] as StepDocument, { id: 'second', options: ['sms-otp'] }]);
    t.ok((await mine.login()).asked, 'the flow no longer allows it');
    await world.publish([
      remembering[0] as StepDocument,
      { id: 'second', options: ['sms-otp'], remember: '1h' },
    ]);
    world.clock.pass(61 * minute);
    t.ok((await mine.login()).asked, 'the flow in force says how long');
  }),
);

t.test('a revoked or copied one excuses nobody', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openDevices(t, storage, remembering);
    const user = await world.addUser();
    const { clock, devices } = world;
    const mine = visitor(world);
    await mine.login(tick);
    const old = { ...mine.cookies };
    await mine.login();
    t.notOk((await visitor(world, { ...old }).login()).asked, 'tabs that were open together');
    clock.pass(2 * minute);
    t.ok((await visitor(world, { ...old }).login()).asked, 'later it was copied');
    t.strictSame(await devices.list(storage.db, user.id, clock.now()), []);
    const revoked = await storage.db
      .selectFrom('audit_events')
      .select(['subject', 'reason'])
      .where('name', '=', 'device.revoked')
      .execute();
    t.strictSame(revoked, [{ subject: user.id, reason: 'copied' }]);
    t.ok((await mine.login(tick)).asked, 'the owner has to show it again, too');
    t.notOk((await mine.login()).asked);

    for (const revoke of [
      (id: string) => storage.transaction((tx) => devices.revoke(tx, user.id, id, 'user', clock.now())),
      () => storage.transaction((tx) => devices.revokeAll(tx, user.id, 'password', clock.now())),
    ]) {
      const id = devices.idOf(mine.cookies['sp-remembered'], user.id) ?? '';
      const stranger = await storage.transaction((tx) =>
        devices.revoke(tx, 'usr_other', id, 'user', clock.now()),
      );
      t.equal(stranger, false, 'nobody else can');
      t.ok(await revoke(id));
      t.ok((await mine.login(tick)).asked, 'with the next login');
      t.notOk((await mine.login()).asked);
    }
    await world.addUser({ ...ada, username: 'bob', email: 'bob@example.test', phone: '+447700900199' });
    const bob = { username: 'bob' };
    const theirs = await world.browser();
    Object.assign(theirs.cookies, mine.cookies);
    t.match(
      (await theirs.submit({ ...credentials, ...bob })).body,
      'Enter code',
      'somebody else in this browser',
    );
    await theirs.submit({ code: newestCode(world), remember: 'on' });
    Object.assign(mine.cookies, { 'sp-remembered': theirs.cookies['sp-remembered'] });
    t.notOk((await mine.login()).asked, 'both are remembered in it');
    const forged = mine.cookies['sp-remembered']?.replace(/\.(\d+)\./, '.9.') ?? '';
    t.ok((await visitor(world, { 'sp-remembered': forged }).login()).asked, 'a value that was never ours');
    t.equal((await devices.list(storage.db, user.id, clock.now())).length, 1, 'revokes nothing');
  }),
);

t.test('a device is known for the step that was passed in it, and for no other', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openDevices(t, storage, newDevice);
    const user = await world.addUser();
    const mine = visitor(world);
    t.ok((await mine.login()).asked);
    t.notOk((await mine.login()).asked, 'without any box');
    t.ok((await visitor(world).login()).asked);
    const app = { ...appDocument, id: 'other' };
    t.ok((await mine.login({}, { app })).asked, 'another app has not seen it');
    t.ok((await mine.login({}, { acr: ['urn:sallyport:acr:2'] })).asked);
    const browser = { ip: '127.0.0.1', userAgent: 'test', rememberedCookie: mine.cookies['sp-remembered'] };
    const { id } = await storage.transaction((tx) =>
      world.sessions.create(
        tx,
        {
          ...{ userId: user.id, ip: null, userAgent: null },
          factors: [{ method: 'password', kind: 'knowledge', amr: ['pwd'], at: world.clock.now().getTime() }],
        },
        world.clock.now(),
      ),
    );
    const session = await world.sessions.find(storage.db, id, world.clock.now());
    if (!session) throw new Error('no session');
    const asks = { session, user, app: appDocument, acr: [], maxAgeMs: null };
    const enough = (more: object) =>
      world.flows.satisfies(storage.db, { ...asks, ...more }, world.clock.now());
    t.equal(await enough({ browser }), true, 'a session in this browser');
    t.equal(await enough({ browser: { ...browser, rememberedCookie: undefined } }), false, 'in another one');
    t.equal(await enough({}), false, 'in one of which nothing is known');
    t.equal(await enough({ browser, app: { ...app, id: 'third' } }), false);
    t.equal(await enough({ browser, maxAgeMs: minute }), false);
    await world.publish([
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'] },
      { id: 'third', options: ['sms-otp', 'backup-code'], when: '!device.known' },
    ]);
    await mine.login();
    t.equal(await enough({ browser }), false, 'the second step has no condition any more');
  }),
);

t.test('two tabs come to the same next value', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openDevices(t, storage, remembering);
    const user = await world.addUser();
    const mine = visitor(world);
    await mine.login(tick);
    const tabs = Array.from({ length: 16 }, () => visitor(world, { ...mine.cookies }));
    const done = await Promise.all(tabs.map((tab) => tab.login()));
    t.strictSame(
      done.filter(({ asked, finished }) => asked || !finished),
      [],
    );
    const values = new Set(tabs.map(({ cookies }) => cookies['sp-remembered']));
    t.ok(values.size <= 2, 'at most the value after the one that came last');
    world.clock.pass(2 * minute);
    const last = await world.devices.list(storage.db, user.id, world.clock.now());
    t.equal(last.length, 1);
    const results = await Promise.all(
      [...values].map((value) => visitor(world, { 'sp-remembered': value ?? '' }).login()),
    );
    t.ok(
      results.some(({ asked }) => !asked),
      'the newest one still counts',
    );
  }),
);
