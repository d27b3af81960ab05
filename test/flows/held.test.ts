import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, newestCode, openWorld, passwordThenCode, type World } from './harness.ts';

const logIn = async (world: World, person = ada) => {
  const browser = await world.browser();
  const { password = '', username } = person;
  return { browser, page: await browser.submit({ username, password }) };
};

/** Counts of the country of the day: sent, and what does not count against it. */
async function countsOf({ storage }: World, country: string) {
  const rows = await storage.db
    .selectFrom('send_histories')
    .select('marks')
    .where('key', 'like', `country:${country}:%`)
    .execute();
  const sum = (letter: string) =>
    rows
      .flatMap(({ marks }) => Object.entries(marks))
      .reduce((all, [name, n]) => all + (name.startsWith(letter) ? n : 0), 0);
  return { sent: sum('s'), settled: sum('v') };
}

t.test('a code that is typed, or not needed, does not count against its country', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser({ ...ada, backupCodes: ['12345-67890'] });
    const typed = await logIn(world);
    t.strictSame(await countsOf(world, 'GB'), { sent: 1, settled: 0 });
    await typed.browser.post({ code: newestCode(world) });
    t.strictSame(await countsOf(world, 'GB'), { sent: 1, settled: 1 });

    world.clock.pass(60_000);
    const other = await logIn(world);
    t.strictSame(await countsOf(world, 'GB'), { sent: 2, settled: 1 });
    await other.browser.submit({ action: 'choose:backup-code' });
    const end = await other.browser.post({ code: '12345-67890' });
    t.match(end.location, /authorize/);
    t.strictSame(await countsOf(world, 'GB'), { sent: 2, settled: 2 });

    world.clock.pass(60_000);
    await logIn(world);
    t.strictSame(await countsOf(world, 'GB'), { sent: 3, settled: 2 }, 'a login that is left open does');
  }),
);

t.test('the page says what is true when a rule holds the code back', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser({ ...ada, backupCodes: ['12345-67890'] });
    world.written = { guard: { sends: { deny: ['GB'] } } };
    const denied = await logIn(world);
    t.match(denied.page.body, /We do not send codes to this kind of number/);
    t.match(denied.page.body, /choose:backup-code/);
    t.notMatch(denied.page.body, /value="send"/, 'asking again would change nothing');

    world.written = { guard: { sends: { perAddress: ['1 in 1h'] } } };
    t.notMatch((await logIn(world)).page.body, /class="notice warning"/);
    world.clock.pass(60_000);
    t.match((await logIn(world)).page.body, /We cannot send a code to this number just now/);
    t.equal(world.messages.length, 1);
    const rows = await storage.db
      .selectFrom('send_decisions')
      .select(['rule', 'action', 'country'])
      .where('action', '=', 'refuse')
      .orderBy('at')
      .execute();
    t.strictSame(rows, [
      { rule: 'country', action: 'refuse', country: 'GB' },
      { rule: 'address', action: 'refuse', country: 'GB' },
    ]);
  }),
);
