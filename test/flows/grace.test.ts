import t from 'tap';
import { advance } from '../../src/flows/engine/advance.ts';
import type { Facts, LoginState } from '../../src/flows/engine/state.ts';
import { acrNames } from '../../src/flows/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { appDocument, events, heading, openWorld } from './harness.ts';
import { codeAt, day, giveApp, grace, keyOn, passwordThenApp, past, resultOf, seed } from './totp-support.ts';
import { begun, factsOf, flowOf, now, userOf, validFlow } from './world.ts';

/* Time to set a second factor up in: what is put off, for how long, and by whom it cannot be. */

const withGrace = [passwordThenApp[0]!, { ...passwordThenApp[1]!, grace: '14d' }];

t.test('put off for fourteen days, then no more', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, withGrace);
    const user = await world.addUser(grace);
    const first = await past(world, { continuationKey: 'first' });
    const page = await first.get();
    t.equal(heading(page), 'Set up an authenticator app');
    t.match(page.body, 'You can put this off for 14 more days.');
    t.match(page.body, /value="later"[^>]* formnovalidate[^>]*>\s*<span class="name">Not now/);
    t.equal((await first.post({ action: 'later' }, page)).location, '/authorize/resume');
    t.match(await resultOf(world, 'first'), {
      ...{ status: 'finished', amr: ['pwd'], acr: acrNames.one },
    });
    t.ok((await events(world, first.loginId)).includes('login.step.skipped:grace'));

    const { sessionId = '' } = await resultOf(world, 'first');
    const session = (await world.sessions.find(storage.db, sessionId, world.clock.now()))!;
    const enough = async (members: { acr?: string[] } = {}) =>
      world.flows.satisfies(
        storage.db,
        { session, user, app: appDocument, acr: [], maxAgeMs: null, browser: null as never, ...members },
        world.clock.now(),
      );
    t.ok(await enough(), 'who was asked at the login is left alone until the next one');
    t.notOk(await enough({ acr: [acrNames.two] }), 'but not where two factors are asked for');

    world.clock.pass(10 * day + 1);
    const second = await past(world);
    t.match((await second.get()).body, 'You can put this off for 4 more days.');
    world.clock.pass(4 * day - 60_000);
    const last = await past(world);
    t.match((await last.get()).body, 'You can put this off for one more day.');
    const stale = await last.get();
    world.clock.pass(60_000);
    const late = await last.post({ action: 'later' }, stale);
    t.equal(late.location, `/login/${last.loginId}`, 'the time ran out while the page was open');
    t.notMatch((await last.get()).body, 'Not now');
    t.notOk(await enough());

    const after = await past(world);
    t.notMatch((await after.get()).body, 'Not now');
    t.equal(heading(await after.submit({ action: 'later' })), 'Set up an authenticator app', 'a forged one');
    const secret = keyOn(await after.submit({ action: 'set-up' }));
    await after.submit({ code: codeAt(secret, world.clock.now()) });
    t.ok((await events(world, after.loginId)).includes('login.finished'));
  }),
);

t.test('the time begins with the first page, whoever leaves it', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, withGrace);
    await world.addUser(grace);
    const browser = await past(world);
    await browser.submit({ action: 'cancel' });
    world.clock.pass(14 * day);
    t.notMatch((await (await past(world)).get()).body, 'Not now');
    const { asked_at, ...row } = await storage.db
      .selectFrom('enrolment_requests')
      .selectAll()
      .executeTakeFirstOrThrow();
    t.match(row, { flow_id: 'main', step: 'second' });
    t.equal(world.clock.now().getTime() - asked_at.getTime(), 14 * day);
  }),
);

t.test('while it can be put off, the password is the only factor', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, withGrace);
    const user = await world.addUser(grace);
    const alone = () => world.flows.passwordAlone(storage.db, user);
    t.same(await alone(), ['main'], 'before it is asked for');
    await past(world);
    world.clock.pass(14 * day - 1_000);
    t.same(await alone(), ['main']);
    world.clock.pass(1_000);
    t.same(await alone(), [], 'the time is over');
    await storage.db.deleteFrom('enrolment_requests').execute();
    t.same(await alone(), ['main']);
    await storage.transaction((tx) => world.users.backupCodes.create(tx, user.id, world.clock.now()));
    t.same(await alone(), ['main'], 'backup codes run out');
    await giveApp(world, user);
    t.same(await alone(), [], 'set up');
  }),
);

t.test('who has backup codes only is asked for one: “Not now” is no way around it', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, withGrace);
    const user = await world.addUser({ ...grace, backupCodes: ['KTQ7X-M3WPA'] });
    const browser = await past(world);
    const page = await browser.get();
    t.notMatch(page.body, 'Not now');
    await browser.post({ action: 'later' }, page);
    t.equal(heading(await browser.get()), 'Set up an authenticator app', 'still there');
    await giveApp(world, user);
    t.equal(heading(await (await past(world)).get()), 'Enter code');
    const other = await past(world);
    t.equal(heading(await other.submit({ action: 'later' })), 'Enter code', 'nor around an app');
    t.equal((await other.submit({ code: codeAt(seed, world.clock.now()) })).location, '/authorize/resume');
  }),
);

t.test('of several to set up one is chosen, now or later', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      withGrace[0]!,
      { id: 'second', options: ['totp', 'sms-otp'], onUnavailable: 'enrol', grace: '1h' },
      { id: 'third', options: ['password', 'backup-code'] },
    ]);
    await world.addUser({ ...grace, backupCodes: ['KTQ7X-M3WPA'] });
    const browser = await past(world, { continuationKey: 'both' });
    const page = await browser.get();
    t.equal(heading(page), 'How would you like to go on?');
    t.match(page.body, 'You can put this off for one more day.');
    t.equal(heading(await browser.submit({ action: 'choose:totp' })), 'Set up an authenticator app');
    t.equal(heading(await browser.submit({ action: 'later' })), 'Enter your password', 'the next step');
    t.equal(heading(await browser.submit({ action: 'later' })), 'Enter your password', 'only that one');
    await browser.submit({ password: grace.password ?? '' });
    t.match(await resultOf(world, 'both'), { status: 'finished', amr: ['pwd'] });
  }),
);

t.test('what the engine says to “Not now”', async (t) => {
  const flow = flowOf(...withGrace);
  const known = { ...factsOf({ user: userOf(), backupCodes: 0 }), asked: { second: now - 13 * day } };
  const start = advance(flow, begun(), { type: 'start' }, factsOf(null)).state;
  const subject = { userId: 'usr_1', name: 'typed' };
  const at = (facts: Facts, state: LoginState = start) =>
    advance(flow, state, { type: 'passed', method: 'password', subject }, facts).state;
  const cases: [name: string, state: LoginState, facts: Facts, finishes: boolean][] = [
    ['in time', at(known), known, true],
    ['asked for the first time', at({ ...known, asked: {} }), { ...known, asked: {} }, true],
    ['before any factor', start, factsOf(null), false],
    ['too late', at(known), { ...known, now: now + day }, false],
    ['asked long ago', at({ ...known, asked: { second: 0 } }), { ...known, asked: { second: 0 } }, false],
    [
      'an app was set up meanwhile',
      at(known),
      { ...known, person: { ...known.person!, own: { totp: [6] } } },
      false,
    ],
    [
      'backup codes were made meanwhile',
      at(known),
      { ...known, person: { ...known.person!, own: { 'backup-code': 3 } } },
      false,
    ],
    ['two factors are asked for', at(known, { ...start, acr: [acrNames.two] }), known, false],
    ['the user is gone', at(known), { ...known, person: null }, false],
  ];
  for (const [name, state, facts, finishes] of cases) {
    const { next, state: then } = advance(flow, state, { type: 'later' }, facts);
    t.equal(next.is === 'finish', finishes, name);
    t.strictSame(then.skipped, finishes ? [{ step: 'second', reason: 'grace' }] : [], name);
  }
  const chosen = advance(flow, at(known), { type: 'later' }, known).state;
  const again = advance(flow, { ...chosen, step: null }, { type: 'restart' }, known).state;
  t.strictSame(again.postponed, [], 'the next user decides anew');
});

t.test('a flow says it where it means something', async (t) => {
  const first = { options: ['password'] };
  const step = { options: ['totp'], onUnavailable: 'enrol', grace: '14d' } as const;
  const mutable = (members: object) => ({ ...step, options: ['totp'], ...members });
  t.ok(validFlow([first, mutable({})]));
  for (const [name, wrong] of Object.entries({
    'nothing is set up': { onUnavailable: 'skip' },
    'by default nothing is': { onUnavailable: undefined },
    'too short': { grace: '59m' },
    'too long': { grace: '366d' },
  })) {
    t.equal(validFlow([first, mutable(wrong) as never]), null, name);
  }
  t.equal(validFlow([{ ...first, grace: '14d' } as never]), null, 'the first factor');
});
