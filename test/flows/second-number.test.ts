/** Two proved numbers: the code goes to the one that is asked for, and nothing else becomes any easier by it. */
import t, { type Test } from 'tap';
import type { Storage } from '../../src/storage/types.ts';
import type { NewUser } from '../../src/users/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { ada, type Browser, browserOn, heading, newestCode, openWorld, passwordThenCode } from './harness.ts';

const first = '+447700900167';
const second = '+447700900122';
const both: NewUser = { ...ada, secondPhone: second };
const credentials = { username: ada.username, password: ada.password ?? '' };
const codeFirst = [
  { id: 'who', options: ['identify'] },
  { id: 'code', options: ['sms-otp'] },
];

/** One message after the other, as fast as the login lets them go. */
const withoutLimits = {
  modes: { 'first-contact': 'record' },
  ...{ perNumber: [], perUser: [], perAddress: [], perNetwork: [], perPrefix: [] },
};

async function open(t: Test, storage: Storage, steps = passwordThenCode, user = both) {
  const world = await openWorld(t, storage, steps);
  world.written = { guard: { sends: withoutLimits } };
  await world.addUser(user);
  const sentTo = () => world.messages.map(({ to }) => to);
  return { world, sentTo };
}

const offers = async (browser: Browser): Promise<string[]> =>
  (await browser.screen()).actions.map(({ name }) => name).filter((name) => name.startsWith('send-'));

t.test('the code goes to the other number instead', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage);
    const browser = await world.browser();
    const page = await browser.submit(credentials);
    t.match(page.body, 'Sent to ••••• 67');
    t.match(page.body, 'Send it to the number ending in 22 instead');
    t.notMatch(page.body, second.slice(0, -2), 'two digits of it, and no more');
    t.same(sentTo(), [first], 'looking sends nothing');

    const early = await browser.submit({ action: 'send-second' });
    t.same(sentTo(), [first], 'the server waits between two messages, whichever numbers they go to');
    t.match(early.body, 'Sent to ••••• 67', 'and the page says where the code went that is there');
    t.match(early.body, 'wait a little before the next one');

    world.clock.pass(30_000);
    const older = newestCode(world);
    const other = await browser.submit({ action: 'send-second' });
    t.same(sentTo(), [first, second]);
    t.match(other.body, 'Sent to ••••• 22');
    t.match(other.body, 'Send it to the number ending in 67 instead');
    if (older !== newestCode(world)) {
      t.match((await browser.submit({ code: older })).body, 'That is not the code. You have 4 tries left.');
    }
    world.clock.pass(30_000);
    await browser.submit({ action: 'resend' });
    t.same(sentTo(), [first, second, second], 'again to where the last one went');
    world.clock.pass(30_000);
    t.same(await offers(browser), ['send-first']);
    await browser.submit({ action: 'send-first' });
    t.same(sentTo().at(-1), first);
    t.match((await browser.submit({ code: newestCode(world) })).location, /authorize/);
  }),
);

t.test('limits are those of the login: two numbers do not make them twice as many', (t) =>
  postgresOnly(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage);
    const browser = await world.browser();
    await browser.submit(credentials);
    const tries = async () => /You have (\d) tr/.exec((await browser.post({ code: '000000' })).body)?.[1];
    t.equal(await tries(), '4');
    for (const action of ['send-second', 'send-first', 'resend', 'send-second', 'send-first']) {
      world.clock.pass(30_000);
      await browser.submit({ action });
    }
    t.equal(sentTo().length, 6);
    t.same(await offers(browser), [], 'it is not offered any more');
    world.clock.pass(30_000);
    for (const action of ['send-second', 'send-first', 'resend', 'send']) await browser.submit({ action });
    t.equal(sentTo().length, 6, 'nor done');
    for (let n = 0; n < 8; n += 1) await browser.post({ code: '000000' });
    const late = await browser.post({ code: newestCode(world) });
    t.equal(late.location, `/login/${browser.loginId}`, 'and no more wrong codes are taken than for one');
    t.match((await browser.get()).body, /Too many|locked/);
  }),
);

t.test('what the guard counts belongs to the number that the message went to', (t) =>
  postgresOnly(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage);
    world.written = { guard: { sends: { ...withoutLimits, perPrefix: ['9 in 1h'], home: ['GB'] } } };
    const browser = await world.browser();
    await browser.submit(credentials);
    world.clock.pass(30_000);
    await browser.submit({ action: 'resend' });
    world.clock.pass(30_000);
    await browser.submit({ action: 'send-second' });
    await browser.submit({ code: newestCode(world) });
    t.same(sentTo(), [first, first, second]);
    const rows = await storage.db.selectFrom('send_histories').select(['key', 'times']).execute();
    const prefix = rows.find(({ key }) => key.startsWith('prefix:'));
    t.equal((prefix?.times as unknown[] | undefined)?.length, 2, 'both of one prefix: one of three was used');
  }),
);

t.test('before a factor was passed nothing tells that there are two', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage, codeFirst);
    const pages: string[][] = [];
    for (const username of [ada.username, 'nobody']) {
      const browser = await world.browser();
      const seen = [(await browser.submit({ username })).body];
      for (const action of ['send-second', 'resend']) {
        world.clock.pass(31_000);
        seen.push((await browser.submit({ action })).body);
      }
      t.same(await offers(browser), []);
      const plain = (body: string) =>
        body
          .replaceAll(username, 'NAME')
          .replace(/(value|data-[\w-]+)="[^"]*"/g, '')
          .replace(/lgn_[\w-]+/g, '');
      pages.push(seen.map(plain));
    }
    t.same(pages[0], pages[1]);
    t.same(sentTo(), [first, first, first], 'a forged button asks for one more, and chooses nothing');

    world.clock.pass(31_000);
    const named = await world.browser();
    const page = await named.submit({ username: second });
    t.equal(sentTo().at(-1), second, 'who names the number gets the code there');
    t.notMatch(page.body, '22 ', 'and is told nothing');
    world.clock.pass(31_000);
    await named.submit({ action: 'resend' });
    t.equal(sentTo().at(-1), second);
    t.match((await named.submit({ code: newestCode(world) })).location, /authorize/);
  }),
);

t.test('a challenge before the message to the other number', (t) =>
  postgresOnly(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage);
    world.written = {
      guard: {
        challenge: { kind: 'turnstile', siteKey: 'site', secret: 'secret' },
        sends: { ...withoutLimits, perUser: ['1 in 1h'], modes: { user: 'challenge' } },
      },
    };
    world.captcha = () => '{"success":true}';
    const browser = await world.browser();
    await browser.submit(credentials);
    world.clock.pass(31_000);
    t.equal(heading(await browser.submit({ action: 'send-second' })), 'One moment, please');
    t.same(sentTo(), [first]);
    const page = await browser.submit({ action: 'prove', 'cf-turnstile-response': 'x' });
    t.same(sentTo(), [first, second]);
    t.match(page.body, 'Sent to ••••• 22');
  }),
);

t.test('as JSON, and with one number only', (t) =>
  postgresOnly(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage);
    await world.addUser({ username: 'bob', password: 'moth in relay seventy', phone: '+447700900111' });
    const browser = await world.browser();
    const post = async (members: object) =>
      (await browser.json({ version: (await browser.screen()).version, ...members })).body;
    const { screen } = await post(credentials);
    t.match(
      screen?.actions.find(({ name }) => name === 'send-second'),
      { label: 'Send it to the number ending in 22 instead', style: 'secondary', enabledAt: Number },
    );
    world.clock.pass(30_000);
    t.match((await post({ action: 'send-second' })).screen, { sentence: 'Sent to ••••• 22 by SMS.' });
    t.match((await post({ code: newestCode(world) })).next, /resume/);

    const other = await world.browser();
    await other.submit({ username: 'bob', password: 'moth in relay seventy' });
    t.same(await offers(other), []);
    world.clock.pass(30_000);
    await other.submit({ action: 'send-second' });
    t.equal(sentTo().at(-1), '+447700900111', 'there is no other');
  }),
);

t.test('the second number is gone, or refused', (t) =>
  postgresOnly(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage, passwordThenCode, {
      ...both,
      secondPhone: '+15005550006',
    });
    world.written = { guard: { sends: { ...withoutLimits, deny: ['US'] } } };
    const browser = await world.browser();
    await browser.submit(credentials);
    world.clock.pass(30_000);
    const refused = await browser.submit({ action: 'send-second' });
    t.match(refused.body, 'We do not send codes to this kind of number');
    t.match(refused.body, 'Sent to ••••• 67', 'the code that is there can be typed');
    t.same(await offers(browser), [], 'not offered once more');
    await browser.submit({ action: 'resend' });
    t.same(sentTo(), [first, first], 'the first number still gets one');
    await storage.db.updateTable('users').set({ second_phone: null }).execute();
    world.clock.pass(30_000);
    await browser.submit({ action: 'send-second' });
    t.same(sentTo(), [first, first, first]);
  }),
);

t.test('a reset by one number is followed by a code to neither', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { sentTo, world } = await open(t, storage);
    world.written.recovery = { enabled: true, channels: ['sms'] };
    for (const [name, to] of [
      [ada.username, first],
      [second, second],
    ]) {
      world.clock.pass(3_600_000);
      const browser = await world.browser();
      const binding = browser.cookies['sp-login'] ?? '';
      const { cookies, location = '' } = await browser.post({ action: 'recover' });
      browser.cookies['sp-login'] = binding;
      const id = new URL(location, 'http://localhost').searchParams.get('login') ?? '';
      const run = browserOn(world, id, { 'sp-login': cookies['sp-login'] ?? '' });
      await run.submit({ username: name ?? '' });
      t.equal(sentTo().at(-1), to, 'to the number that is named, else the first');
      t.same(await offers(run), []);
      await run.submit({ code: newestCode(world) });
      const password = `seven grey herons ${name === second ? 'wade' : 'rest'}`;
      t.equal((await run.post({ password })).status, 303);

      const before = sentTo().length;
      const page = await browser.submit({ username: ada.username, password });
      t.equal(heading(page), 'We cannot go on here');
      for (const action of ['send-first', 'send-second', 'choose:sms-otp']) await browser.submit({ action });
      t.equal(sentTo().length, before, 'it is the phone as a whole');
    }
  }),
);
