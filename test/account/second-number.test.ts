/** A second number beside the first: added, put first, removed, and used to sign in. */
import { sql } from 'kysely';
import t from 'tap';
import { keysOf } from '../../src/people/recovery.ts';
import type { Users } from '../../src/users/types.ts';
import { userOf } from '../flows/world.ts';
import { eachDatabaseUrl, postgresUrl, shop, standard } from '../helpers/gateway.ts';
import { createTestApp, nextCode, openLogin, passPassword } from '../helpers/relying-party.ts';
import { openAccounts, press, words } from './support.ts';

const { apps } = standard('');
const step = { id: 'second', options: ['sms-otp', 'totp'], onUnavailable: 'enrol' };
const strict = { id: 'strict', name: 'Strict', steps: [{ id: 'first', options: ['password'] }, step] };
const person = (username: string, phone: string, more: object = {}) => ({
  ...{ username, password: 'seven quiet lanterns', email: `${username}@example.test`, phone, ...more },
});
const [first, second, others, wanted] = [1, 2, 3, 4].map((n) => `+44770090010${n}`) as [
  string,
  string,
  string,
  string,
];
const account = (username: string, phone: string) => ({
  ...{ username, password: 'seven quiet lanterns', phone },
});
const files = {
  apps: [{ ...apps[0], id: 'shop', flow: 'strict' }],
  flows: [strict],
};

t.test('a second number', (t) =>
  eachDatabaseUrl(t, async (t, databaseUrl) => {
    const world = await openAccounts(t, databaseUrl, {
      ...files,
      users: [person('ada', first), person('ben', others)],
    });
    const { at, code, enter, events, mailed, sms, userOf } = world;
    const ada = account('ada', first);
    const { browser } = await enter('/account/phone', ada);

    await t.test('is yours once its code was typed, and the first one is told', async (t) => {
      const elsewhere = await enter('/account', ada);
      const form = await browser.open(at('/account/phone/second'));
      t.match(words(form), /Add a second number/);
      const same = await press(browser, form, '/account/phone/second', { phone: first });
      t.match(words(same), /the number you have already/);
      const asked = await press(browser, form, '/account/phone/second', { phone: second });
      t.equal(asked.url.pathname, '/account/phone/code');
      t.equal((await userOf('ada')).secondPhone, null, 'nothing typed is kept');
      const done = await press(browser, asked, '/account/phone/code', { code: await code(second) });
      t.match(words(done), /Your second phone number is saved.*Ends in 01, a second one in 02/);
      const user = await userOf('ada');
      t.match(user, { phone: first, secondPhone: second });
      t.match((await sms.next(first, 5_000)).text, /has a second phone number now. It ends in 02/);
      t.ok(await mailed('ada@example.test', /A second phone number was added/));
      t.match((await elsewhere.browser.open(at('/account'))).url.pathname, /^\/login/, 'signed out');
      t.equal((await events(user.id)).filter((name) => name === 'user.factor_added').length, 1);
      const copy = await press(browser, await browser.open(at('/account/data')), '/account/data/copy');
      t.equal(JSON.parse(copy.html).profile.secondPhone, second, 'a copy of one’s own data has it');
      const again = await browser.open(at('/account/phone/second'));
      t.equal(again.url.pathname, '/account/phone', 'there is no third');
    });

    await t.test('of somebody else: told once it is proved', async (t) => {
      const ben = await enter('/account/phone/second', account('ben', others));
      const asked = await press(ben.browser, ben.page, '/account/phone/second', { phone: second });
      t.equal(asked.url.pathname, '/account/phone/code', 'a number alone tells nothing');
      const taken = await press(ben.browser, asked, '/account/phone/code', { code: await code(second) });
      t.match(words(taken), /already belongs to another account/);
      const asFirst = await press(
        ben.browser,
        await ben.browser.open(at('/account/phone')),
        '/account/phone',
        { phone: second },
      );
      t.equal(asFirst.status, 429, 'the same number within half a minute');
      t.match(await userOf('ben'), { phone: others, secondPhone: null });
    });

    await t.test('gets the code at a sign-in instead, without a script', async (t) => {
      const app = await createTestApp(world.gateway, shop);
      await sql`update otp_challenges set last_sent_at = last_sent_at - interval '1 minute'`.execute(
        world.db,
      );
      const walk = await passPassword(app, await openLogin(app), ada);
      await code(first);
      await sql`update otp_challenges set last_sent_at = last_sent_at - interval '1 minute'`.execute(
        world.db,
      );
      const there = await walk.browser.submit(walk.page, { action: 'send-second' });
      t.match(words(there), /Sent to ••••• 02 by SMS/);
      const sent = await nextCode(sms, second);
      const done = await walk.browser.submit(there, { code: sent }, app.isCallback);
      t.ok(app.isCallback(done.url));
      const tokens = await app.exchange(walk.attempt, done.url);
      t.same(tokens.claims()?.amr, ['pwd', 'sms', 'mfa']);
    });

    await t.test('is put first: both are told', async (t) => {
      const numbers = await browser.open(at('/account/phone'));
      t.match(words(numbers), /Your number is ••••• 01.*Your second number is ••••• 02/);
      const known = await press(browser, numbers, '/account/phone', { phone: second });
      t.match(words(known), /That is your second number/);
      const swapped = await press(browser, numbers, '/account/phone/second/first');
      t.match(words(swapped), /Codes go to ••••• 02 first/);
      t.match(await userOf('ada'), { phone: second, secondPhone: first });
      for (const number of [first, second]) {
        t.match((await sms.next(number, 5_000)).text, /changed places.*ends in 02/, number);
      }
      t.ok(await mailed('ada@example.test', /Your phone numbers have changed places/));
      const stale = await press(browser, numbers, '/account/phone/remove');
      t.match([stale.status, words(stale)], [409, /Nothing was changed, because your numbers have changed/]);
      t.match(words(stale), /Your number is ••••• 02/, 'and shows what is there');
      t.match(await userOf('ada'), { phone: second, secondPhone: first }, 'a form is for what it showed');
    });

    await t.test('held back after a recovery', async (t) => {
      const numbers = await browser.open(at('/account/phone'));
      const ben = await enter('/account/phone/second', account('ben', others));
      await sql`update users set recovered_at = ${new Date()} where username in ('ada', 'ben')`.execute(
        world.db,
      );
      for (const path of [
        '/account/phone/remove',
        '/account/phone/second/remove',
        '/account/phone/second/first',
      ]) {
        t.equal((await press(browser, numbers, path)).status, 403, path);
      }
      const refused = await press(ben.browser, ben.page, '/account/phone/second', { phone: wanted });
      t.equal(refused.status, 403);
      t.match(words(refused), /can be changed in 24 hours/);
      t.match(await userOf('ada'), { phone: second, secondPhone: first });
      await sql`update users set recovered_at = null`.execute(world.db);
    });

    await t.test('takes the place of a first one that is removed', async (t) => {
      const numbers = await browser.open(at('/account/phone'));
      t.match(words(numbers), /Your second number, ••••• 01, then takes its place/);
      const removed = await press(browser, numbers, '/account/phone/remove');
      t.match(words(removed), /Codes go to ••••• 01 now/, 'although the app asks everybody for a code');
      t.match(await userOf('ada'), { phone: first, phoneVerified: true, secondPhone: null });
      for (const number of [first, second]) {
        t.match((await sms.next(number, 5_000)).text, /ends in 02 was removed/, number);
      }
      const last = await press(browser, await browser.open(at('/account/phone')), '/account/phone/remove');
      t.equal(last.status, 409, 'the last one stays');
      const log = await sql`select data, reason from audit_events`.execute(world.db);
      t.notMatch(JSON.stringify(log.rows), /447700900/, 'no number is on record');
    });

    await t.test('is removed', async (t) => {
      const { id } = await userOf('ada');
      await sql`update users set second_phone = ${second} where id = ${id}`.execute(world.db);
      const removed = await press(
        browser,
        await browser.open(at('/account/phone')),
        '/account/phone/second/remove',
      );
      t.match(words(removed), /Your second phone number is removed/);
      t.match(await userOf('ada'), { phone: first, secondPhone: null });
      const names = (await events(id)).filter((name) => /^user\.(factor|changed)/.test(name));
      t.same(names, ['user.factor_added', 'user.changed', 'user.factor_removed', 'user.factor_removed']);
    });
  }),
);

t.test('wrong tries are counted under each name of an account, and lifted with it', async (t) => {
  const same = (name: string) => name;
  const names = keysOf(
    { guard: { subjectKey: same }, users: { normaliseIdentifier: same } as Users },
    userOf({ phone: first, secondPhone: second }),
  );
  t.same(names, [first, second, 'ada']);
});

t.test('at the same moment', async (t) => {
  const world = await openAccounts(t, await postgresUrl(t), {
    ...files,
    users: [person('ada', first, { secondPhone: second }), person('ben', others)],
  });
  const at16 = <Answer>(work: (n: number) => Promise<Answer>) =>
    Promise.all(Array.from({ length: 16 }, (_, n) => work(n)));

  await t.test('removed sixteen times: one number goes', async (t) => {
    const { browser, page } = await world.enter('/account/phone', account('ada', first));
    const answers = await at16(() => press(browser, page, '/account/phone/remove'));
    t.equal(answers.filter((answer) => /Codes go to ••••• 02 now/.test(words(answer))).length, 1);
    t.match(await world.userOf('ada'), { phone: second, secondPhone: null });
    const names = await world.events((await world.userOf('ada')).id);
    t.equal(names.filter((name) => name === 'user.factor_removed').length, 1);
  });

  await t.test('a code proves a second number once', async (t) => {
    const { browser, page } = await world.enter('/account/phone/second', account('ben', others));
    const asked = await press(browser, page, '/account/phone/second', { phone: wanted });
    const code = await world.code(wanted);
    const answers = await at16(() => press(browser, asked, '/account/phone/code', { code }));
    t.equal(answers.filter((answer) => /second phone number is saved/.test(words(answer))).length, 1);
    t.match(await world.userOf('ben'), { phone: others, secondPhone: wanted });
    const names = await world.events((await world.userOf('ben')).id);
    t.equal(names.filter((name) => name === 'user.factor_added').length, 1);
  });
});
