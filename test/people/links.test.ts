/** Links that administrators hand out: how long they are good, and what they leave behind. */
import t from 'tap';
import { listSimulated } from '../../src/delivery/simulator/store.ts';
import { createBrowser } from '../../src/demo/index.ts';
import { openAccounts, press, words } from '../account/support.ts';
import { eachDatabaseUrl, generousGuard } from '../helpers/gateway.ts';

const ben = { username: 'ben', password: 'seven quiet lanterns', phone: '+447700900154' };
const ada = { username: 'ada', password: 'seven quiet lanterns', email: 'ada@example.test' };
/** Without a challenge, so that the code does go out. */
const guard = { ...generousGuard, sends: { ...generousGuard.sends, modes: { 'first-contact': 'record' } } };
const chosen = 'eleven borrowed umbrellas';

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const lines: string[] = [];
  const world = await openAccounts(
    t,
    databaseUrl,
    {
      gateway: {
        ...{ name: 'Sallyport', guard },
        recovery: { enabled: true, channels: ['email'] },
      },
      users: [ada, ben],
    },
    (line) => lines.push(line),
  );
  const { at, db, gateway } = world;
  const { clock, crypto, people } = gateway.running.context;
  const give = async () => (await people.reset({ name: 'ada', by: 'test' })).url;
  const statusOf = async (url: string, init: RequestInit = {}) =>
    (await fetch(url, { redirect: 'manual', ...init })).status;

  await t.test('no preview, no referrer, no cache, no log', async (t) => {
    const url = await give();
    t.equal(await statusOf(url, { method: 'HEAD' }), 404);
    const page = await fetch(url, { headers: { 'user-agent': 'Slackbot-LinkExpanding 1.0' } });
    t.equal(page.headers.get('cache-control'), 'no-store');
    t.match(page.headers.get('referrer-policy'), /^(same-origin|no-referrer)$/);
    t.notMatch(await page.text(), /(src|href)="https?:/, 'nothing of another place is on it');
    t.equal(await statusOf(url), 200, 'whoever looked has not used it up');
    await statusOf(url, { method: 'POST', body: new URLSearchParams({ password: chosen }) });
    const events = JSON.stringify(await db.selectFrom('audit_events').selectAll().execute());
    const token = url.split('/').at(-1) ?? '';
    t.notMatch(lines.join(), token);
    t.notMatch(events, token);
  });

  await t.test('void once its owner has got in by a code', async (t) => {
    const url = await give();
    const browser = createBrowser();
    const login = await browser.open(at('/account'));
    const account = await browser.submit(login, { action: 'recover' });
    const asked = await browser.submit(account, { username: 'ada' });
    t.ok(await world.mailed(ada.email, /./));
    const mails = await listSimulated(db, crypto, null, clock.now());
    const code = mails.map(({ text }) => /\b\d{6}\b/.exec(text)?.[0]).find(Boolean) ?? '';
    const fresh = await browser.submit(asked, { code });
    t.match(fresh.html, /Choose a new password/);
    await browser.submit(fresh, { password: chosen });
    t.equal(await statusOf(url), 410);
  });

  await t.test('good beside whatever else an administrator does to help', async (t) => {
    const url = await give();
    await people.unlock({ name: 'ada', by: 'test' });
    await people.backupCodes({ name: 'ada', by: 'test', given: null });
    t.equal(await statusOf(url), 200);
  });

  await t.test('void once the account was switched off, whatever comes afterwards', async (t) => {
    const url = await give();
    await people.disable({ name: 'ada', by: 'test' });
    t.equal(await statusOf(url), 410);
    await people.enable({ name: 'ada', by: 'test' });
    t.equal(await statusOf(url), 410, 'what was ended stays ended');
  });

  await t.test('a tab from before it, and the day after it, change no number', async (t) => {
    const next = '+447700900155';
    const before = await world.enter('/account/phone', ben);
    const asked = await press(before.browser, before.page, '/account/phone', { phone: next });
    const code = await world.code(next);
    const { url } = await people.reset({ name: 'ben', by: 'test' });
    const browser = createBrowser();
    const done = await browser.submit(await browser.open(new URL(url)), { password: chosen });
    t.equal(done.url.pathname, '/reset/done');
    t.match((await press(before.browser, asked, '/account/phone/code', { code })).url.pathname, /^\/login/);
    const fresh = await world.enter('/account/phone', { ...ben, password: chosen });
    t.match(words(fresh.page), /changed in 24 hours/);
    const { html } = await fresh.browser.open(at('/account/profile'));
    for (const path of ['phone', 'phone/second', 'phone/code', 'phone/remove', 'code/off']) {
      const form = html.replace('"/account/profile"', `"/account/${path}"`);
      await press(fresh.browser, { ...fresh.page, html: form }, `/account/${path}`, { phone: next, code });
    }
    const kept = { phone: ben.phone, secondPhone: null, codeOff: false };
    t.match(await world.userOf('ben'), kept);
  });
});
