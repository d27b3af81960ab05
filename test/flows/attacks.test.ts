import t from 'tap';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import {
  type Answer,
  ada,
  type Browser,
  heading,
  newestCode,
  openWorld,
  passwordThenCode,
} from './harness.ts';

/** Somebody who has an account of their own, and a stolen password. */
const mallory = {
  username: 'mallory',
  password: 'nine crooked ladders',
  email: 'mallory@example.test',
  emailVerified: true,
  phone: '+447700900999',
  phoneVerified: true,
};

const enter = ({ username, password = '' }: { username: string; password?: string }) => ({
  username,
  password,
});

t.test('a code for one account passes no other’s step in the same login', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser();
    await world.addUser(mallory);
    const browser = await world.browser({ continuationKey: 'key' });
    await browser.submit(enter(mallory));
    t.equal(world.messages.at(-1)?.to, mallory.phone);
    const own = newestCode(world);

    await browser.submit({ action: 'restart' });
    await browser.submit(enter(ada));
    const page = await browser.get();
    await browser.post({ code: own }, page);
    const login = await world.flows.findByContinuation(storage.db, 'key');
    t.equal(login?.status, 'running', 'the code of the other account is wrong here');
    t.equal(heading(await browser.get()), 'Enter code', 'and this account has been sent its own');
    t.equal(world.messages.at(-1)?.to, ada.phone);
  }),
);

t.test('a code proves the number that it went to, and no other that is typed later', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'], onUnavailable: 'enrol' },
    ]);
    const { phone: _, ...phoneless } = mallory;
    const user = await world.addUser({ ...phoneless, phoneVerified: false });
    const browser = await world.browser({ continuationKey: 'key' });
    await browser.submit(enter(mallory));
    await browser.submit({ phone: mallory.phone });
    const own = newestCode(world);

    await browser.submit({ action: 'restart' });
    await browser.submit(enter(mallory));
    await browser.submit({ phone: '+447700900555' });
    await browser.post({ code: own });
    t.equal((await world.flows.findByContinuation(storage.db, 'key'))?.status, 'running');
    t.equal((await world.users.findById(storage.db, user.id))?.phone, null, 'nobody else’s number was taken');
  }),
);

t.test('before a factor was passed, neither waits nor locks tell of an account', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'code', options: ['sms-otp'] },
    ]);
    const user = await world.addUser();
    /** What one sees who types a name, and then a wrong code five times. */
    const look = async (username: string, wrongCodes = 0): Promise<unknown> => {
      const browser = await world.browser();
      await browser.submit({ username });
      for (let i = 0; i < wrongCodes; i += 1) {
        const wrong = newestCode(world) === '000000' ? '111111' : '000000';
        await browser.post({ code: wrong });
      }
      const { at: _, ...screen } = await browser.screen();
      return JSON.parse(JSON.stringify(screen).replaceAll(JSON.stringify(username).slice(1, -1), 'NAME'));
    };

    t.same(await look('ada'), await look('nobody'), 'the first time');
    t.same(await look('ada@example.test'), await look('nobody@example.test'), 'by another of its names');
    t.same(await look('+44 7700 900167'), await look('+44 7700 900168'), 'by its number');
    t.equal(world.messages.length, 1, 'and yet one number gets one message in half a minute');

    world.clock.pass(31_000);
    t.match(await look('ada', 5), { name: 'locked' });
    t.match(await look('nobody', 5), { name: 'locked' }, 'names without an account lock as well');
    world.clock.pass(31_000);
    const sent = world.messages.length;
    t.same(
      await look('ada@example.test'),
      await look('nobody@example.test'),
      'the lock is told by no other name',
    );
    t.equal(world.messages.length, sent, 'but nothing is sent');
    const key = world.guard.subjectKey(user.id);
    t.ok(await world.guard.lockedUntil(storage.db, key, 'sms-otp', world.clock.now()), 'it is the account’s');
  }),
);

t.test('guessing in many logins at once gets no further than guessing in two', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser();
    const logins: { browser: Browser; page: Answer }[] = [];
    for (let i = 0; i < 5; i += 1) {
      const browser = await world.browser();
      await browser.submit(enter(ada));
      logins.push({ browser, page: await browser.get() });
      world.clock.pass(31_000);
    }
    const codes = new Set(world.messages.map(({ code }) => code));
    t.equal(codes.size, 5);
    const wrong = Array.from({ length: 30 }, (_, i) => String(i).padStart(6, '0')).filter(
      (code) => !codes.has(code),
    );
    await Promise.all(
      wrong.map((code, i) => {
        const { browser, page } = logins[i % logins.length] as { browser: Browser; page: Answer };
        return browser.post({ code }, page);
      }),
    );
    const failed = await storage.db.selectFrom('factor_locks').select(['factor', 'failures']).execute();
    const compared = failed.find(({ factor }) => factor === 'sms-otp')?.failures ?? 0;
    t.ok(compared >= 5 && compared <= 10, `${compared} were compared`);
  }),
);

t.test('a condition is looked at until the last step: where it was met once does not count', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'], when: '!request.userAgent.contains("Office")' },
      { id: 'third', options: ['backup-code'] },
    ]);
    await world.addUser({ ...ada, backupCodes: ['7K0D1-XW3QP'] });
    const browser = await world.browser();
    const from = async (userAgent: string, body: object) => {
      const { version } = await browser.screen();
      return (await browser.json({ ...body, version }, { 'user-agent': userAgent })).body;
    };
    const inside = await from('Office 1.0', { username: 'ada', password: ada.password ?? '' });
    t.equal(inside.screen?.name, 'backup-code', 'there the second step does not apply');
    const outside = await from('Elsewhere 1.0', { code: '7K0D1-XW3QP' });
    t.equal(outside.screen?.name, 'sms-otp', 'here it does');
    const done = await from('Elsewhere 1.0', { code: newestCode(world) });
    t.match(done.next, '/authorize/resume');
  }),
);
