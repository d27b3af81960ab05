/** Changes of one account at the same moment. */
import { sql } from 'kysely';
import t from 'tap';
import { openAccounts, press, secretIn, words } from '../account/support.ts';
import { codeAt } from '../flows/totp-support.ts';
import { postgresUrl, standard } from '../helpers/gateway.ts';

const { apps } = standard('');
const people = Array.from({ length: 8 }, (_, n) => ({
  ...{ username: `user${n}`, password: 'seven quiet lanterns', phone: `+44770090012${n}` },
}));
const at16 = <Answer>(work: () => Promise<Answer>) => Promise.all(Array.from({ length: 16 }, work));

t.test('changes of one account at the same moment', async (t) => {
  const step = { id: 'second', options: ['sms-otp', 'totp'] };
  const world = await openAccounts(t, await postgresUrl(t), {
    apps: [{ ...apps[0], flow: 'both' }],
    flows: [{ id: 'both', name: 'Both', steps: [{ id: 'first', options: ['password'] }, step] }],
    users: people,
  });
  const [one] = people;
  if (!one) throw new Error('nobody');
  const { browser, page } = await world.enter('/account/phone', one);

  await t.test('a code that was sent proves a number once', async (t) => {
    const asked = await press(browser, page, '/account/phone', { phone: '+447700900160' });
    const code = await world.code('+447700900160');
    const answers = await at16(() => press(browser, asked, '/account/phone/code', { code }));
    const changed = answers.filter((answer) => answer.url.pathname === '/account');
    t.equal(changed.length, 1);
    t.equal((await world.userOf('user0')).phone, '+447700900160');
    const names = await world.events((await world.userOf('user0')).id);
    t.equal(names.filter((name) => name === 'user.changed').length, 1, 'and is on record once');
  });

  await t.test('one form makes backup codes once, and those shown are those that count', async (t) => {
    const form = await browser.open(world.at('/account/backup-codes'));
    const answers = await at16(() => press(browser, form, '/account/backup-codes'));
    const made = answers.filter(({ html }) => html.includes('class="backup-codes"'));
    t.equal(made.length, 1);
    const shown = /<code>([0-9A-Z-]{11})<\/code>/.exec(made[0]?.html ?? '')?.[1] ?? '';
    const { id } = await world.userOf('user0');
    t.ok((await world.users.backupCodes.look(world.db, id, shown)).matches);
  });

  await t.test('of the last two ways in, given up at once, one stays', async (t) => {
    const results = await Promise.all(
      people.slice(1).map(async (person) => {
        const { browser, page } = await world.enter('/account/authenticator', person);
        const scan = await press(browser, page, '/account/authenticator');
        const typed = { code: codeAt(secretIn(scan), new Date()) };
        const list = await press(browser, scan, '/account/authenticator/new', typed);
        const phone = await browser.open(world.at('/account/phone'));
        const answers = await Promise.all([
          press(browser, list, /remove$/),
          press(browser, phone, '/account/phone/remove'),
        ]);
        return answers.map((answer) => ({ status: answer.status, said: words(answer) }));
      }),
    );
    for (const answers of results) {
      t.equal(answers.filter(({ status }) => status === 409).length, 1);
      t.match(answers.map(({ said }) => said).join(), /could not sign in to Shop/);
    }
    const { rows } = await sql<{ phone: boolean; apps: number }>`select phone is not null as phone,
      (select count(*)::integer from credentials where user_id = users.id and confirmed_at is not null) as apps
      from users where username <> 'user0'`.execute(world.db);
    for (const { apps, phone } of rows) t.equal(apps + Number(phone), 1);
  });
});
