/** What a stolen phone and a stolen password are good for once their owner has done something about it. */

import { sql } from 'kysely';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { eachDatabaseUrl, generousGuard, postgresUrl, standard } from '../helpers/gateway.ts';
import { openAccounts, press, words } from './support.ts';

const { apps } = standard('');
const password = 'seven quiet lanterns';
const options = ['sms-otp', 'totp'];
const flow = {
  ...{ id: 'main', name: 'Main' },
  steps: [
    { id: 'first', options: ['password'] },
    { id: 'second', options },
  ],
};
const ada = { username: 'ada', password, phone: '+447700900101', email: 'ada@example.test' };
const theirs = '+447700900102';
const files = { apps: [{ ...apps[0], flow: 'main' }], flows: [flow], users: [ada] };

t.test('a code that went to the old phone passes nothing once the number is another one', (t) =>
  eachDatabaseUrl(t, async (t, databaseUrl) => {
    const world = await openAccounts(t, databaseUrl, files);
    const { at, code, enter, userOf } = world;
    const { browser, page } = await enter('/account/phone', ada);
    const thief = createBrowser();
    const asked = await thief.submit(await thief.open(at('/account')), { username: 'ada', password });
    const stolen = await code(ada.phone);

    const proving = await press(browser, page, '/account/phone', { phone: '+447700900190' });
    const done = await press(browser, proving, '/account/phone/code', { code: await code('+447700900190') });
    t.match(words(done), /Your new phone number is saved/);
    const late = await thief.submit(asked, { code: stolen });
    t.equal(late.url.pathname, '/', 'that sign-in is over');
    t.notOk(thief.cookie('sp-session'));
    const own = await sql<{ n: number }>`select count(*)::integer as n from sessions
      where user_id = ${(await userOf('ada')).id} and revoked_at is null`.execute(world.db);
    t.same(own.rows, [{ n: 1 }], 'only the browser that changed it is signed in');
  }),
);

t.test('nor does the code for a forgotten password', async (t) => {
  const world = await openAccounts(t, await postgresUrl(t), {
    gateway: {
      ...{ name: 'Sallyport', recovery: { enabled: true, channels: ['sms'] } },
      guard: { ...generousGuard, sends: { ...generousGuard.sends, modes: { 'first-contact': 'record' } } },
    },
    ...files,
  });
  const { at, code, enter } = world;
  const { browser, page } = await enter('/account/phone', ada);
  const thief = createBrowser();
  const asked = await thief.submit(await thief.open(at('/account')), { action: 'recover' });
  const typing = await thief.submit(asked, { username: 'ada' });
  const stolen = await code(ada.phone);
  const proving = await press(browser, page, '/account/phone', { phone: '+447700900190' });
  await press(browser, proving, '/account/phone/code', { code: await code('+447700900190') });
  const late = await thief.submit(typing, { code: stolen });
  t.match(words(late), /This code is no longer valid/);
  t.notMatch(late.html, /name="password"/);
});

t.test('a phone that is set up in a login is told of where the password alone could do it', async (t) => {
  const step = { id: 'second', options, onUnavailable: 'enrol' };
  const { phone: _, ...numberless } = ada;
  const world = await openAccounts(t, await postgresUrl(t), {
    apps: [{ ...apps[0], flow: 'main' }],
    gateway: { ...standard('').gateway, account: { flow: 'main' } },
    flows: [{ id: 'main', name: 'Main', steps: [{ id: 'first', options: ['password'] }, step] }],
    users: [numberless],
  });
  const { browser, page } = await world.enter('/account', { username: 'ada', password });
  const number = await browser.submit(page, { action: 'choose:sms-otp' });
  const asked = await browser.submit(number, { phone: theirs });
  const done = await browser.submit(asked, { code: await world.code(theirs) });
  t.equal(done.url.pathname, '/account');
  t.ok(await world.mailed(ada.email, /A way of signing in was added/));
});
