import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, openWorld, passwordThenCode, type World } from './harness.ts';

const secret = `whsec_${Buffer.alloc(32, 4).toString('base64')}`;
const lookup = { url: 'https://numbers.example.test/', secret };

/** Somebody who is asked about numbers, and answers so. */
function numbers(world: World, body: object): string[] {
  const asked: string[] = [];
  world.written = { guard: { lookup, sends: { modes: { 'first-contact': 'record' } } } };
  world.lookup = async (question) => {
    asked.push(JSON.parse(question).number);
    return { status: 200, body: JSON.stringify(body) };
  };
  return asked;
}

t.test('after the password the number is looked up, and the page says what came of it', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    const asked = numbers(world, { simSwappedAt: world.clock.now().toISOString() });
    await world.addUser();
    const browser = await world.browser();
    const page = await browser.submit({ username: ada.username, password: ada.password ?? '' });
    t.strictSame(asked, [ada.phone]);
    t.equal(world.messages.length, 0);
    t.match(page.body, /We cannot send a code to this number just now/);
  }),
);

t.test('before anything is proved nobody waits for it: a name with and without a number take the same', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'code', options: ['sms-otp'] },
    ]);
    const asked = numbers(world, { lineType: 'mobile' });
    await world.addUser();
    for (const username of [ada.username, 'nobody']) {
      const browser = await world.browser();
      t.match((await browser.submit({ username })).body, /a code is on its way/);
    }
    t.strictSame(asked, [], 'it is looked up beside, before the message goes out');
    t.equal(world.messages.length, 1);
  }),
);
