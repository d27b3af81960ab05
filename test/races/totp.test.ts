import t from 'tap';
import { heading, openWorld } from '../flows/harness.ts';
import {
  codeAt,
  giveApp,
  grace,
  keyOn,
  passwordThenApp,
  past,
  seed,
  wrongCode,
} from '../flows/totp-support.ts';
import { postgresOnly } from '../helpers/database.ts';

await postgresOnly(t, async (t, storage) => {
  const world = await openWorld(t, storage, passwordThenApp);
  world.written.guard = { passwords: { perAccount: 100, perAddress: 1000 } };

  t.test('of 16 logins that set up an app at once exactly one does', async (t) => {
    await world.addUser(grace);
    const browsers = await Promise.all(Array.from({ length: 16 }, () => past(world)));
    const pages = await Promise.all(browsers.map((browser) => browser.submit({ action: 'set-up' })));
    const answers = await Promise.all(
      browsers.map((browser, n) => {
        const page = pages[n] ?? { body: '' };
        return browser.post({ code: codeAt(keyOn(page), world.clock.now()) }, pages[n]);
      }),
    );
    t.equal(answers.filter(({ location }) => location === '/authorize/resume').length, 1);
    t.equal((await storage.db.selectFrom('credentials').select('id').execute()).length, 1);
    await storage.db.deleteFrom('users').execute();
    t.same(await storage.db.selectFrom('credentials').select('id').execute(), [], 'it goes with its user');
  });

  t.test('of 16 logins that type one code at once exactly one passes', async (t) => {
    await giveApp(world, await world.addUser(grace));
    const browsers = await Promise.all(Array.from({ length: 16 }, () => past(world)));
    const pages = await Promise.all(browsers.map((browser) => browser.get()));
    const code = codeAt(seed, world.clock.now());
    const answers = await Promise.all(browsers.map((browser, n) => browser.post({ code }, pages[n])));
    const passed = answers.filter(({ location }) => location === '/authorize/resume');
    t.equal(passed.length, 1);
  });

  t.test('of 50 wrong codes at once at most ten are compared, and the factor is locked', async (t) => {
    world.clock.pass(20 * 60_000);
    const browsers = await Promise.all(Array.from({ length: 50 }, () => past(world)));
    const pages = await Promise.all(browsers.map((browser) => browser.get()));
    const code = wrongCode(seed, world.clock.now());
    const answers = await Promise.all(browsers.map((browser, n) => browser.post({ code }, pages[n])));
    const { failures } = await storage.db
      .selectFrom('factor_locks')
      .select('failures')
      .where('factor', '=', 'totp')
      .executeTakeFirstOrThrow();
    t.ok(failures <= 10, `${failures} were compared`);
    t.equal(answers.filter(({ location }) => location === '/authorize/resume').length, 0);
    const right = await past(world);
    const locked = await right.submit({ code: codeAt(seed, world.clock.now()) });
    t.equal(heading(locked), 'Too many tries');
  });
});
