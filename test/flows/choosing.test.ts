import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { type Answer, ada, heading, newestCode, openWorld, passwordThenCode } from './harness.ts';

const credentials = { username: 'ada', password: ada.password ?? '' };

const choices = ({ body }: Answer): string[] =>
  [...body.matchAll(/value="choose:([a-z-]+)"/g)].map(([, id]) => id ?? '');

t.test('several ways: the user chooses, the one used last in this browser first', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'first', options: ['password', 'sms-otp'] },
    ]);
    await world.addUser();
    const browser = await world.browser();
    const chooser = await browser.submit({ username: 'ada' });
    t.equal(heading(chooser), 'How would you like to go on?');
    t.same(choices(chooser), ['password', 'sms-otp']);
    t.equal(world.messages.length, 0, 'nothing is sent before the choice');

    t.equal(heading(await browser.submit({ action: 'choose:sms-otp' })), 'Enter code');
    t.equal(world.messages.length, 1);
    t.same(choices(await browser.submit({ action: 'other-ways' })), ['password', 'sms-otp']);
    t.equal(heading(await browser.submit({ action: 'choose:password' })), 'Enter your password');
    t.equal(
      heading(await browser.submit({ action: 'choose:backup-code' })),
      'Enter your password',
      'not offered here',
    );
    await browser.submit({ action: 'choose:sms-otp' });
    t.equal(world.messages.length, 1, 'the code that was sent is still the one');
    t.equal((await browser.submit({ code: newestCode(world) })).location, '/authorize/resume');

    const next = await world.browser();
    next.cookies['sp-ways'] = browser.cookies['sp-ways'] ?? '';
    t.same(choices(await next.submit({ username: 'ada' })), ['sms-otp', 'password']);
  }),
);

t.test('a slow gateway holds up the page only once a factor was passed', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'first', options: ['sms-otp'] },
    ]);
    await world.addUser();
    let answerNow = () => {};
    world.gateway = new Promise((resolve) => {
      answerNow = resolve;
    });
    const first = await world.browser();
    t.equal(heading(await first.submit({ username: 'ada' })), 'Enter code', 'while nothing is known of it');
    t.equal(world.messages.length, 1);

    await world.publish(passwordThenCode);
    world.clock.pass(60_000);
    const second = await world.browser();
    const page = second.submit(credentials);
    t.equal(await Promise.race([page.then(() => 'answered'), sleep(300, 'waits')]), 'waits');
    answerNow();
    t.match((await page).body, 'Sent to ••••• 67 by SMS.');
  }),
);
