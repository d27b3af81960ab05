import t from 'tap';
import { happened } from '../../src/storage/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, events, heading, newestCode, openWorld, passwordThenCode } from './harness.ts';

const minute = 60_000;
const credentials = { username: 'ada', password: ada.password ?? '' };

t.test('password, then a code by SMS', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    const user = await world.addUser();
    const browser = await world.browser({ continuationKey: 'key' });

    const first = await browser.get();
    t.equal(first.status, 200);
    t.equal(heading(first), 'Sign in');
    t.notMatch(first.body, 'Sign in to', 'said once');
    t.equal(first.headers['cache-control'], 'no-store');
    t.equal(world.messages.length, 0, 'looking sends nothing');

    const wrong = await browser.submit({ username: 'ada', password: 'not this one' });
    t.equal(wrong.status, 422);
    t.match(wrong.body, 'That user name and password do not match.');
    t.match(wrong.body, 'value="ada"', 'the name is kept');
    t.notMatch(wrong.body, 'not this one');

    const second = await browser.submit(credentials);
    t.equal(heading(second), 'Enter code');
    t.match(second.body, 'Sign in to <strong>Demo shop</strong>');
    t.match(second.body, 'Sent to ••••• 67 by SMS.');
    t.equal(world.messages.length, 1);
    t.match(world.messages[0]?.text, `${newestCode(world)} is your code for Demo shop.`);
    await browser.get();
    t.equal(world.messages.length, 1, 'a reload sends nothing');

    const code = newestCode(world);
    const bad = await browser.submit({ code: code === '000000' ? '111111' : '000000' });
    t.equal(bad.status, 422);
    t.match(bad.body, 'That is not the code. You have 4 tries left.');

    const done = await browser.submit({ code: `${code.slice(0, 3)} ${code.slice(3)}` });
    t.equal(done.status, 303);
    t.equal(done.location, '/authorize/resume');
    t.ok(done.cookies['sp-device'], 'the browser is known from now on');
    t.equal(done.cookies['sp-ways'], 'sms-otp.password');

    const login = await world.flows.findByContinuation(storage.db, 'key');
    t.match(login, { status: 'finished', result: { userId: user.id, amr: ['pwd', 'sms', 'mfa'] } });
    t.equal(login?.result?.acr, 'urn:sallyport:acr:2');
    const session = await world.sessions.find(storage.db, login?.result?.sessionId ?? '', world.clock.now());
    t.same(
      session?.factors.map(({ method }) => method),
      ['password', 'sms-otp'],
    );
    t.same(await events(world, browser.loginId).then((all) => all.toSorted()), [
      ...['code.issued', 'code.refused:wrong', 'code.verified', 'login.finished', 'login.started'],
      ...['login.step.failed:wrong', 'login.step.failed:wrong'],
      ...[
        'login.step.passed',
        'login.step.passed',
        'login.step.shown',
        'login.step.shown',
        'session.created',
      ],
    ]);

    t.equal((await browser.get()).location, '/authorize/resume', 'the back button leads on');
    t.equal(
      await storage.transaction((tx) => happened(tx, world.flows.consuming(tx, browser.loginId))),
      true,
    );
    t.equal(
      await storage.transaction((tx) => happened(tx, world.flows.consuming(tx, browser.loginId))),
      false,
    );
    t.equal(await world.flows.findByContinuation(storage.db, 'key'), undefined);
    t.equal((await browser.get()).status, 410);
  }),
);

t.test('what the table of the second step says', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    const off = async (name: string, codes: string[]) => {
      const user = await world.addUser({
        ...ada,
        username: name,
        email: `${name}@example.test`,
        codeOff: true,
        phone: `+4477009001${20 + codes.length}`,
        ...(codes.length > 0 ? { backupCodes: codes } : {}),
      });
      return user;
    };

    await t.test('code off, no backup codes: skipped, and recorded as the choice of the user', async (t) => {
      const user = await off('grace', []);
      const browser = await world.browser({ continuationKey: 'grace' });
      const done = await browser.submit({ username: 'grace', password: ada.password ?? '' });
      t.equal(done.location, '/authorize/resume');
      const login = await world.flows.findByContinuation(storage.db, 'grace');
      t.same(login?.result?.amr, ['pwd']);
      t.equal(login?.result?.acr, 'urn:sallyport:acr:1');
      t.ok((await events(world, browser.loginId)).includes('login.step.skipped:code-off'));
      t.equal(world.messages.length, 0);
      t.ok(user.codeOff);
    });

    await t.test('code off, the application asks for two factors: the code as usual', async (t) => {
      const browser = await world.browser({ acr: ['urn:sallyport:acr:2'] });
      const page = await browser.submit({ username: 'grace', password: ada.password ?? '' });
      t.equal(heading(page), 'Enter code');
      t.equal(world.messages.length, 1);
    });

    await t.test(
      'code off, unused backup codes: one of them; with the last one the code is on again',
      async (t) => {
        const user = await off('edith', ['KTQ7X-M3WPA', 'R9HCF-2VNDE']);
        const sent = world.messages.length;
        for (const [code, stillOff] of [
          ['ktq7xm3wpa', true],
          ['R9HCF 2VNDE', false],
        ] as const) {
          const browser = await world.browser({ continuationKey: code });
          const page = await browser.submit({ username: 'edith', password: ada.password ?? '' });
          t.equal(heading(page), 'Use a backup code');
          t.equal((await browser.submit({ code: 'XXXXX-XXXXX' })).status, 422);
          t.equal((await browser.submit({ code })).location, '/authorize/resume');
          const login = await world.flows.findByContinuation(storage.db, code);
          t.same(login?.result?.amr, ['pwd', 'otp', 'mfa']);
          t.equal((await world.users.findById(storage.db, user.id))?.codeOff, stillOff);
          const seen = await events(world, browser.loginId);
          t.ok(seen.includes('backup_codes.used'));
          t.equal(seen.includes('user.code_on:last-backup-code'), !stillOff);
        }
        t.equal(world.messages.length, sent, 'no message was sent');
        const browser = await world.browser();
        const page = await browser.submit({ username: 'edith', password: ada.password ?? '' });
        t.equal(heading(page), 'Enter code', 'afterwards the code is asked again');
      },
    );

    await t.test('code off, but the flow does not let users choose: the code as usual', async (t) => {
      await world.publish(passwordThenCode.map((step) => ({ ...step, userMayDisable: false })));
      world.clock.pass(minute);
      const browser = await world.browser();
      t.equal(
        heading(await browser.submit({ username: 'grace', password: ada.password ?? '' })),
        'Enter code',
      );
    });

    await t.test('no number: stop, skip', async (t) => {
      const { phone: _, phoneVerified: __, ...numberless } = ada;
      await world.addUser({ ...numberless, username: 'mary', email: 'mary@example.test' });
      const stopped = await world.browser();
      const page = await stopped.submit({ username: 'mary', password: ada.password ?? '' });
      t.equal(heading(page), 'We cannot go on here');
      t.match(page.body, 'Back to Demo shop', 'there is a way out');
      t.match(page.body, 'whoever looks after Demo shop');
      await world.publish(
        passwordThenCode.map((step) => (step.id === 'second' ? { ...step, onUnavailable: 'skip' } : step)),
      );
      const skipped = await world.browser();
      const done = await skipped.submit({ username: 'mary', password: ada.password ?? '' });
      t.equal(done.location, '/authorize/resume');
      t.ok((await events(world, skipped.loginId)).includes('login.step.skipped:unavailable'));
    });
  }),
);

t.test('no number: one is asked for, proved, and kept as verified', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'], onUnavailable: 'enrol' },
    ]);
    await world.addUser({ ...ada, username: 'owner', email: 'owner@example.test', phone: '+447700900111' });
    const { phone: _, phoneVerified: __, ...numberless } = ada;
    const user = await world.addUser(numberless);
    const browser = await world.browser();
    const page = await browser.submit(credentials);
    t.equal(heading(page), 'Add your phone number');
    t.equal((await browser.submit({ phone: '12' })).status, 422);
    t.equal(world.messages.length, 0);

    const taken = await browser.submit({ phone: '07700 900111', country: 'GB' });
    t.match(taken.body, 'Sent to ••••• 11 by SMS.', 'whose number it is is not told before it is proved');
    t.match((await browser.submit({ code: newestCode(world) })).body, 'already belongs to another account');

    const foreign = newestCode(world);
    t.equal(heading(await browser.submit({ action: 'change-number' })), 'Add your phone number');
    await browser.submit({ phone: '+44 7700 900122' });
    t.equal(
      (await browser.submit({ code: foreign })).status,
      422,
      'the code for another number proves nothing',
    );
    t.equal((await browser.submit({ code: newestCode(world) })).location, '/authorize/resume');
    const after = await world.users.findById(storage.db, user.id);
    t.match(after, { phone: '+447700900122', phoneVerified: true });
    t.ok((await events(world, browser.loginId)).includes('user.factor_added'));
    const row = await storage.db.selectFrom('logins').selectAll().where('id', '=', browser.loginId).execute();
    t.notMatch(JSON.stringify(row), '7700900122', 'no whole number in the row');
  }),
);

t.test('sending', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser({ ...ada, backupCodes: ['KTQ7X-M3WPA'] });

    await t.test('failed everywhere: said at once, with the other ways and a retry', async (t) => {
      world.outcome = { status: 'unavailable', reason: 'down' };
      const browser = await world.browser();
      const page = await browser.submit(credentials);
      t.match(page.body, 'We could not send the code to ••••• 67 just now.');
      t.match(page.body, 'choose:backup-code');
      world.outcome = { status: 'accepted', gatewayId: null };
      world.clock.pass(31_000);
      const again = await browser.submit({ action: 'resend' });
      t.match(again.body, 'Sent to ••••• 67 by SMS.');
      t.equal((await browser.submit({ code: newestCode(world) })).location, '/authorize/resume');
    });

    await t.test('unknown: both codes work', async (t) => {
      world.clock.pass(60 * minute);
      world.outcome = { status: 'unknown', reason: 'cut' };
      const browser = await world.browser();
      t.match((await browser.submit(credentials)).body, 'We do not know whether the code');
      const older = newestCode(world);
      world.clock.pass(31_000);
      await browser.submit({ action: 'resend' });
      t.not(newestCode(world), older);
      t.equal((await browser.submit({ code: older })).location, '/authorize/resume');
      world.outcome = { status: 'accepted', gatewayId: null };
    });

    await t.test('again too soon, and the older code after a newer one was accepted', async (t) => {
      world.clock.pass(60 * minute);
      const browser = await world.browser();
      await browser.submit(credentials);
      const [older, sent] = [newestCode(world), world.messages.length];
      const screen = await browser.screen();
      const resend = screen.actions.find(({ name }) => name === 'resend');
      t.equal(resend?.enabledAt, world.clock.now().getTime() + 30_000);
      t.match((await browser.submit({ action: 'resend' })).body, 'A code was already asked for.');
      t.equal(world.messages.length, sent);
      world.clock.pass(31_000);
      await browser.submit({ action: 'resend' });
      t.equal(world.messages.length, sent + 1);
      t.equal((await browser.submit({ code: older })).status, 422);
      world.clock.pass(5 * minute);
      t.match((await browser.submit({ code: newestCode(world) })).body, 'This code is no longer valid.');
    });

    await t.test('five wrong codes lock the way, and only this one; locked sends nothing', async (t) => {
      world.clock.pass(24 * 60 * minute);
      const browser = await world.browser();
      await browser.submit(credentials);
      const wrong = newestCode(world) === '000000' ? '111111' : '000000';
      for (const _ of [1, 2, 3, 4]) t.equal((await browser.submit({ code: wrong })).status, 422);
      const locked = await browser.submit({ code: wrong });
      t.equal(heading(locked), 'Too many tries');
      t.match(locked.body, 'You can try again in 5 minutes, or go on another way.');
      const sent = world.messages.length;
      const other = await world.browser();
      t.equal(heading(await other.submit(credentials)), 'Too many tries');
      t.equal(world.messages.length, sent);
      t.equal(heading(await other.submit({ action: 'choose:backup-code' })), 'Use a backup code');
      t.equal((await other.submit({ code: 'KTQ7X-M3WPA' })).location, '/authorize/resume');
      world.clock.pass(6 * minute);
      t.equal(heading(await browser.submit({ action: 'choose:sms-otp' })), 'Enter code');
    });
  }),
);
