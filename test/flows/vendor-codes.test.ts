import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, type Browser, events, openWorld, passwordThenCode } from './harness.ts';

/* Codes that a gateway makes itself: what the person is told, and what nobody can tell by it. */

const answers = { '000001': 'wrong', '000002': 'gone', '000003': 'unchecked', '000004': 'right' } as const;
const answer = (typed: string) => answers[typed as keyof typeof answers];

/** The page after a code was typed, without what is another one each time; how long it took. */
async function typed(browser: Browser, username: string, code: string) {
  const page = await browser.get();
  const started = performance.now();
  const { body, status } = await browser.post({ code }, page);
  const took = performance.now() - started;
  const own = [browser.loginId, /(?:name="_token" value=")[^"]*/g, /data-\w+="\d{10,}"/g, username];
  return { status, took, body: own.reduce<string>((text, part) => text.replaceAll(part, '…'), body) };
}

t.test('after a password: told as it is', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser();
    world.keeper = { answer, asked: [] };
    const browser = await world.browser();
    await browser.submit({ username: ada.username, password: ada.password ?? '' });
    const say = async (code: string) => (await browser.post({ code })).body;
    t.match(await say('000001'), 'That is not the code. You have 4 tries left.');
    t.match(
      await say('000003'),
      'We could not check the code just now. Please try again; you have 3 tries left.',
    );
    t.match(await say('000002'), 'This code is no longer valid. We can send a new one.');
    const user = await storage.db.selectFrom('factor_locks').select('failures').execute();
    t.same(
      user.map(({ failures }) => failures).filter((n) => n > 1),
      [],
      'only the wrong one counts as such',
    );
    t.equal((await browser.post({ code: '000004' })).status, 303);
    t.same(world.keeper.asked, ['000001', '000003', '000002', '000004']);
    const told = (await events(world, browser.loginId)).filter((name) => name.startsWith('code.'));
    t.same(told, [
      'code.issued',
      'code.refused:wrong',
      'code.refused:unchecked',
      'code.refused:expired',
      'code.verified',
    ]);
  }),
);

t.test('before a factor was passed: a name without an account looks the same', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'code', options: ['sms-otp'] },
    ]);
    await world.addUser();
    world.keeper = { answer, asked: [] };
    const open = async (username: string) => {
      world.clock.pass(31_000);
      const browser = await world.browser();
      await browser.submit({ username });
      return browser;
    };
    const codes = ['000001', '000002', '000003'];
    const pages = [];
    for (const code of codes) {
      for (const name of ['ada', 'nobody']) pages.push({ browser: await open(name), name, code });
    }
    world.clock.pass(31_000);
    const [first, ...others] = await Promise.all(
      pages.map(({ browser, name, code }) => typed(browser, name, code)),
    );
    t.match(first?.body, 'That is not the code, or it could not be checked just now. You have 4 tries left.');
    for (const { body, status } of others)
      t.same({ body, status }, { body: first?.body, status: first?.status });
    for (const { took } of [first, ...others].flatMap((page) => page ?? []))
      t.ok(took > 1_400, 'not before a moment that is the same for all');
    t.same(world.keeper.asked.sort(), codes, 'of the name without an account nothing is asked');

    const browser = await open('ada');
    t.equal((await browser.post({ code: '000004' })).status, 303, 'what is right passes');
  }),
);
