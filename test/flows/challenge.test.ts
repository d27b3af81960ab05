import t from 'tap';
import { isSolved } from '../../src/guard/challenge.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, heading, newestCode, openWorld, passwordThenCode } from './harness.ts';

/** A code without anything before it. */
const codeFirst = [
  { id: 'who', options: ['identify'] },
  { id: 'code', options: ['sms-otp'] },
];

const delivered = { guard: {} };

function solve(task: { salt: string; bits: number }): string {
  for (let nonce = 0; nonce < 50_000_000 && task.bits > 0; nonce += 1) {
    if (isSolved(task, String(nonce))) return String(nonce);
  }
  throw new Error('there is no task on the page');
}

const taskOn = (html: string) => ({
  salt: /data-salt="([\w-]{22})"/.exec(html)?.[1] ?? '',
  bits: Number(/data-bits="(\d+)"/.exec(html)?.[1]),
});

t.test('before its first code an unknown browser does some work', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, codeFirst);
    world.written = delivered;
    await world.addUser();
    const browser = await world.browser();
    const page = await browser.submit({ username: ada.username });
    t.equal(heading(page), 'One moment, please');
    t.equal(world.messages.length, 0, 'nothing goes out before');
    t.match(page.body, /\/assets\/proof\.js/);
    t.match(page.body, /<noscript>/, 'without a script the page says when to come back');

    const wrong = await browser.post({ action: 'prove', proof: '0' });
    t.equal(wrong.status, 422);
    t.equal(world.messages.length, 0);
    const nothing = await browser.post({ action: 'prove' });
    t.equal(nothing.status, 429);

    const fresh = await browser.get();
    const proof = solve(taskOn(fresh.body));
    await browser.post({ action: 'prove', proof }, fresh);
    t.equal(world.messages.length, 1);
    t.equal(heading(await browser.get()), 'Enter code');
    await browser.post({ action: 'prove', proof }, fresh);
    t.equal(world.messages.length, 1, 'a solution is good for one message');
    const done = await browser.post({ code: newestCode(world) });
    t.match(done.location, /authorize/);

    const rows = await storage.db.selectFrom('send_decisions').select(['rule', 'action']).execute();
    t.ok(rows.some(({ action, rule }) => rule === 'first-contact' && action === 'challenge'));
  }),
);

t.test('a name without an account gets the same page, and the same after it', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, codeFirst);
    world.written = delivered;
    await world.addUser();
    const pages = [];
    for (const username of [ada.username, 'nobody']) {
      const browser = await world.browser();
      const page = await browser.submit({ username });
      const after = await browser.submit({ action: 'prove', proof: solve(taskOn(page.body)) });
      pages.push([heading(page), heading(after), /class="sentence">(.*?)</.exec(after.body)?.[1]]);
    }
    t.strictSame(pages[0], pages[1]);
    t.equal(world.messages.length, 1);
  }),
);

t.test('solutions of another login, an older task or a longer name are worth nothing', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, codeFirst);
    world.written = delivered;
    await world.addUser();
    const one = await world.browser();
    const other = await world.browser();
    const proof = solve(taskOn((await one.submit({ username: ada.username })).body));
    await other.submit({ username: ada.username });
    for (const forged of [proof, `${proof} `, '-1', '1e9', '9'.repeat(13), 'x'.repeat(5_000)]) {
      const answer = await other.post({ action: 'prove', proof: forged });
      t.not(answer.status, 303, forged.slice(0, 20));
    }
    world.clock.pass(11 * 60_000);
    const late = await one.submit({ action: 'prove', proof });
    t.equal(heading(late), 'One moment, please', 'a new one in place of the one that has expired');
    t.equal(world.messages.length, 0);
  }),
);

t.test('who runs no script may wait, some times an hour', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, codeFirst);
    world.written = { guard: { sends: { perNumber: [], perUser: [] } } };
    await world.addUser();
    for (let n = 0; n < 6; n += 1) {
      const browser = await world.browser();
      await browser.submit({ username: ada.username });
      world.clock.pass(59_000);
      t.equal((await browser.post({ action: 'prove' })).status, 429, 'a second too early');
      world.clock.pass(1_000);
      const page = await browser.submit({ action: 'prove' });
      t.equal(heading(page), n < 5 ? 'Enter code' : 'No code yet');
    }
    t.equal(world.messages.length, 5);
  }),
);

t.test('without any limit it is asked for all the same', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, codeFirst);
    world.written = { guard: { sends: { perNumber: [], perUser: [], perAddress: [], perNetwork: [] } } };
    await world.addUser();
    const browser = await world.browser();
    t.equal(heading(await browser.submit({ username: ada.username })), 'One moment, please');
    t.equal(world.messages.length, 0);
  }),
);

t.test('the JSON API says what is to be solved', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, codeFirst);
    world.written = delivered;
    await world.addUser();
    const browser = await world.browser();
    const post = async (members: object) => {
      const { version } = await browser.screen();
      return browser.json({ version, ...members });
    };
    const { body } = await post({ username: ada.username });
    const challenge = body.screen?.challenge;
    t.match(challenge, { kind: 'proof-of-work', salt: /^[\w-]{22}$/, bits: Number });
    if (challenge?.kind !== 'proof-of-work') return;
    t.match((await post({ action: 'prove', proof: solve(challenge) })).body, { screen: { name: 'sms-otp' } });
    t.equal(world.messages.length, 1);
  }),
);

t.test('after a password no rule of the standard asks for it; one that is set to does', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    world.written = { guard: { sends: { perNumber: ['1 in 1h'], modes: { number: 'challenge' } } } };
    await world.addUser();
    const logIn = async () => {
      const browser = await world.browser();
      return {
        browser,
        page: await browser.submit({ username: ada.username, password: ada.password ?? '' }),
      };
    };
    t.equal(heading((await logIn()).page), 'Enter code');
    const { browser, page } = await logIn();
    t.equal(heading(page), 'One moment, please');
    t.match(page.body, /value="cancel"/);
    t.equal(world.messages.length, 1);
    const sent = await browser.submit({ action: 'prove', proof: solve(taskOn(page.body)) });
    t.equal(heading(sent), 'Enter code');
    t.equal(world.messages.length, 2);
  }),
);

t.test('a captcha is asked about at its vendor, and allowed on its own page only', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, codeFirst);
    for (const [kind, host, field] of [
      ['turnstile', 'https://challenges.cloudflare.com', 'cf-turnstile-response'],
      ['hcaptcha', 'https://*.hcaptcha.com', 'h-captcha-response'],
      ['recaptcha', 'https://www.google.com/recaptcha/', 'g-recaptcha-response'],
    ] as const) {
      world.written = {
        guard: {
          challenge: { kind, siteKey: 'site-key', secret: 'its-secret' },
          sends: { perNumber: [], perUser: [] },
        },
      };
      if (kind === 'turnstile') await world.addUser();
      const sent = world.messages.length;
      const asked: string[] = [];
      world.captcha = (form) => {
        asked.push(form.toString());
        return JSON.stringify({ success: form.get('response') === 'good' });
      };
      const browser = await world.browser();
      const before = await browser.get();
      const page = await browser.submit({ username: ada.username });
      const policy = String(page.headers['content-security-policy']);
      t.match(page.body, 'data-sitekey="site-key"');
      t.notMatch(page.body, 'its-secret');
      t.ok(policy.includes(`script-src 'self' ${host.replace('*.', '')}`) || policy.includes(host), policy);
      t.match(policy, /default-src 'none'/);
      t.notOk(String(before.headers['content-security-policy']).includes(host.slice(8)));
      t.equal((await browser.post({ action: 'prove', [field]: 'bad' })).status, 422);
      t.equal(world.messages.length, sent);
      await browser.submit({ action: 'prove', [field]: 'good' });
      t.equal(world.messages.length, sent + 1);
      t.strictSame(asked[1], 'secret=its-secret&response=good&remoteip=127.0.0.1');
      world.captcha = () => {
        throw new Error('not reached');
      };
      const other = await world.browser();
      await other.submit({ username: ada.username });
      t.equal(
        (await other.post({ action: 'prove', [field]: 'good' })).status,
        422,
        'not reached: not passed',
      );
    }
  }),
);
