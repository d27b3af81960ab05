import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, appDocument, heading, newestCode, openWorld, passwordThenCode } from './harness.ts';

const minute = 60_000;
const credentials = { username: 'ada', password: ada.password ?? '' };

t.test('a session satisfies the steps that its factors are options of', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [{ id: 'only', options: ['password'] }]);
    const user = await world.addUser();
    const { db } = storage;
    const login = async (key: string, start: object, ...forms: (() => Record<string, string>)[]) => {
      const browser = await world.browser({ continuationKey: key, ...start });
      let page = await browser.get();
      for (const form of forms) page = await browser.submit(form());
      const found = await world.flows.findByContinuation(db, key);
      const session = await world.sessions.find(db, found?.result?.sessionId ?? '', world.clock.now());
      return { page, result: found?.result, session };
    };
    const first = await login('first', {}, () => credentials);
    t.same(first.result?.amr, ['pwd']);
    const session = first.session;
    const asks = { user, app: appDocument, acr: [], maxAgeMs: null };
    if (!session) throw new Error('no session');
    const enough = (more: object = {}) =>
      world.flows.satisfies(db, { ...asks, session, ...more }, world.clock.now());
    t.equal(await enough(), true);
    t.equal(await enough({ maxAgeMs: 0 }), true, 'this very moment');
    world.clock.pass(minute);
    t.equal(await enough({ maxAgeMs: 30_000 }), false);
    t.equal(await enough({ user: { ...user, disabled: true } }), false);
    t.equal(await enough({ user: { ...user, id: 'usr_other' } }), false);

    await world.publish(passwordThenCode);
    t.equal(await enough(), false, 'this flow has one step more');
    t.equal(await enough({ user: { ...user, codeOff: true } }), true, 'which the user switched off');
    t.equal(await enough({ user: { ...user, codeOff: true }, acr: ['urn:sallyport:acr:2'] }), false);

    const step = await login('step-up', { session });
    t.equal(heading(step.page), 'We will send you a code', 'reached by a GET nothing is sent');
    t.equal(world.messages.length, 0);
    const stronger = await login(
      'stronger',
      { session },
      () => ({ action: 'send' }),
      () => ({ code: newestCode(world) }),
    );
    t.same(stronger.result?.amr, ['pwd', 'sms', 'mfa']);
    t.equal(stronger.result?.sessionId, session.id, 'the same session, made stronger');
    t.equal(await enough({ session: stronger.session }), true);

    const fresh = await login('fresh', { session: stronger.session, fresh: true });
    t.equal(heading(fresh.page), 'Sign in');
    t.notMatch(fresh.page.body, 'readonly');

    world.clock.pass(20 * minute);
    const aged = await login('aged', { session: stronger.session, maxAgeMs: 10 * minute });
    t.match(aged.page.body, 'readonly', 'whose session it is is known');
    t.match(aged.page.body, 'value="ada"');

    await t.test('everything satisfied: one button', async (t) => {
      const go = await login('go', { session: stronger.session }, () => ({ action: 'continue' }));
      t.equal(go.page.location, '/authorize/resume');
      t.equal(go.result?.sessionId, session.id);
      t.equal(go.result?.authTime, stronger.result?.authTime, 'nothing was shown anew');
    });

    await t.test('revoked while the login was open: everything is asked again', async (t) => {
      const browser = await world.browser({ session: stronger.session });
      t.equal(heading(await browser.get()), 'You are signed in');
      await storage.transaction((tx) => world.sessions.revoke(tx, session.id, 'test', world.clock.now()));
      t.equal(heading(await browser.submit({ action: 'continue' })), 'Enter your password');
    });

    await t.test('somebody else signs in: the old session ends', async (t) => {
      await world.publish([{ id: 'only', options: ['password'] }]);
      const mine = (await login('mine', {}, () => credentials)).session;
      await world.addUser({ ...ada, username: 'bob', email: 'bob@example.test', phone: '+447700900199' });
      const theirs = await login(
        'theirs',
        { session: mine },
        () => ({ action: 'restart' }),
        () => ({ ...credentials, username: 'bob' }),
      );
      t.not(theirs.result?.sessionId, mine?.id);
      t.equal(await world.sessions.find(db, mine?.id ?? '', world.clock.now()), undefined);
    });
  }),
);
