/** Codes that prove a number: what has to be done before one is sent, and who keeps it. */
import { sql } from 'kysely';
import t from 'tap';
import type { BrowserPage } from '../../src/demo/index.ts';
import { isSolved } from '../../src/guard/challenge.ts';
import { generousGuard, postgresUrl, standard } from '../helpers/gateway.ts';
import { startVerify, verifyProvider } from '../helpers/verify-server.ts';
import { openAccounts, press, words } from './support.ts';

const { apps } = standard('');
const flow = {
  ...{ id: 'codes', name: 'Codes' },
  steps: [
    { id: 'first', options: ['password'] },
    { id: 'second', options: ['sms-otp'] },
  ],
};
const phone = '+447700900101';
const next = '+447700900199';
const ada = { username: 'ada', password: 'seven quiet lanterns', phone };
const files = {
  ...{ apps: [{ ...apps[0], flow: 'codes' }], flows: [flow] },
  users: [{ ...ada, email: 'ada@example.test' }],
};
/** The code to sign in is the first of the hour; what comes then has to be earned. */
const challenging = (challenge: object) => ({
  name: 'Sallyport',
  guard: {
    ...generousGuard,
    challenge,
    sends: { ...generousGuard.sends, perUser: ['1 in 1h'], modes: { user: 'challenge' } },
  },
});

function solutionOf({ html }: BrowserPage): string {
  const salt = /data-salt="([\w-]{22})"/.exec(html)?.[1] ?? '';
  const bits = Number(/data-bits="(\d+)"/.exec(html)?.[1]);
  for (let nonce = 0; nonce < 50_000_000 && bits > 0; nonce += 1) {
    if (isSolved({ salt, bits }, String(nonce))) return String(nonce);
  }
  throw new Error('there is no task on the page');
}

const codePath = '/account/phone/code';

t.test('a challenge before the code, as at a sign-in', async (t) => {
  const world = await openAccounts(t, await postgresUrl(t), {
    ...files,
    gateway: challenging({ kind: 'proof-of-work', wait: '10m' }),
  });
  const { browser, page } = await world.enter('/account/phone', ada);
  const sentTo = () => world.sms.received.map(({ to }) => to);
  const asked = await press(browser, page, '/account/phone', { phone: next });
  t.equal(asked.url.pathname, codePath);
  t.match(words(asked), /One moment, please/);
  t.match(asked.html, /\/assets\/proof\.js/);
  t.match(asked.html, /<noscript>/, 'without a script it says when to come back');
  t.notOk(sentTo().includes(next), 'nothing goes out before');

  const wrong = await press(browser, asked, codePath, { action: 'prove', proof: '0' });
  t.equal(wrong.status, 422);
  t.match(words(wrong), /One moment, please/);
  const forged = await press(browser, asked, codePath, { action: 'send' });
  t.match(words(forged), /One moment, please/, 'not by another button either');
  const proof = solutionOf(asked);
  t.equal(
    (await press(browser, asked, codePath, { action: 'prove', proof })).status,
    422,
    'of a task that was set before',
  );
  const solved = { action: 'prove', proof: solutionOf(forged) };
  const answers = await Promise.all(
    Array.from({ length: 16 }, () => press(browser, forged, codePath, solved)),
  );
  t.ok(answers.every(({ status }) => status === 200));
  const code = await world.code(next);
  const sent = await browser.open(world.at(codePath));
  t.match(words(sent), /Sent to ••••• 99/);
  t.equal(sentTo().filter((to) => to === next).length, 1, 'a solution is good for one message');
  const rows = await sql`select data from credentials where type = 'phone-number'`.execute(world.db);
  t.same(rows.rows, [{ data: { which: 'first' } }], 'and is kept no longer');
  const done = await press(browser, sent, codePath, { code });
  t.match(words(done), /Your new phone number is saved/);
  const decided = await sql`select 1 from send_decisions where action = 'challenge'`.execute(world.db);
  t.ok(decided.rows.length > 0, 'on record');
});

t.test('who runs no script waits, or types another number', async (t) => {
  const world = await openAccounts(t, null, {
    ...files,
    gateway: challenging({ kind: 'proof-of-work', wait: '1m' }),
  });
  const { browser, page } = await world.enter('/account/phone', ada);
  const asked = await press(browser, page, '/account/phone', { phone: next });
  const early = await press(browser, asked, codePath, { action: 'prove' });
  t.match([early.status, words(early)], [422, /One moment, please/]);
  const back = await press(browser, asked, codePath, { action: 'change-number' });
  t.equal(back.url.pathname, '/account/phone');
  const again = await press(browser, back, '/account/phone', { phone: next });
  await sql`update credentials set data = jsonb_set(data, '{task,waitUntil}', to_jsonb(0)) where type = 'phone-number'`.execute(
    world.db,
  );
  const sent = await press(browser, again, codePath, { action: 'prove' });
  t.match(words(sent), /Sent to ••••• 99/);
});

t.test('a captcha is allowed on its own page only', async (t) => {
  const world = await openAccounts(t, await postgresUrl(t), {
    ...files,
    gateway: challenging({ kind: 'turnstile', siteKey: 'site-key', secret: 'its-secret' }),
  });
  const { browser, page } = await world.enter('/account/phone', ada);
  const asked = await press(browser, page, '/account/phone', { phone: next });
  t.match(asked.html, 'data-sitekey="site-key"');
  t.notMatch(asked.html, 'its-secret');
  const policyOf = async (path: string) => {
    const response = await fetch(world.at(path), {
      headers: { cookie: `sp-session=${browser.cookie('sp-session')}` },
      redirect: 'manual',
    });
    return response.headers.get('content-security-policy') ?? '';
  };
  t.match(await policyOf(codePath), /script-src[^;]*challenges\.cloudflare\.com/);
  t.notMatch(await policyOf('/account'), /cloudflare/);
});

t.test('a code that the gateway keeps', async (t) => {
  const verify = await startVerify(t);
  const world = await openAccounts(t, await postgresUrl(t), {
    ...files,
    providers: [
      verifyProvider('verify', verify.url),
      { id: 'mail', channel: 'email', preset: 'simulator', simulator: {} },
    ],
  });
  const login = await world.enter('/account/phone', { username: ada.username, password: ada.password });
  const { browser } = login;
  const page = await browser.submit(login.page, { code: verify.codeOf(phone) });
  t.equal(page.url.pathname, '/account/phone');

  const asked = await press(browser, page, '/account/phone', { phone: next });
  t.match(words(asked), /Sent to ••••• 99/);
  t.match(verify.sent.at(-1)?.fields, { To: next, Channel: 'sms' });
  const right = verify.codeOf(next);
  const wrong = (right[0] === '9' ? '1' : '9') + right.slice(1);
  const said = async (code: string) => words(await press(browser, asked, codePath, { code }));
  t.match(await said(wrong), /That is not the code. You have 4 tries left/);
  t.match(await said('no code'), /That is not the code. You have 3 tries left/);
  const checks = verify.checks.length;
  verify.instead = { check: (response) => response.destroy() };
  t.match(await said(right), /We could not check the code just now. Please try again; you have 2 tries left/);
  t.equal((await world.userOf('ada')).phone, phone, 'no answer is no yes');
  verify.instead = {};

  const answers = await Promise.all(
    Array.from({ length: 16 }, () => press(browser, asked, codePath, { code: right })),
  );
  t.equal(
    answers.filter((answer) => /phone number is saved/.test(words(answer))).length,
    1,
    'it passes once',
  );
  t.ok(verify.checks.length <= checks + 3, 'within the tries of one code');
  t.match(await world.userOf('ada'), { phone: next, phoneVerified: true });
  t.ok(await world.mailed('ada@example.test', /Your phone number was changed/));
  const told = await sql`select 1 from messages where purpose = 'notice' and channel = 'sms'`.execute(
    world.db,
  );
  t.same(told.rows, [], 'a gateway that takes codes only is asked to send nothing else');
  const failed = await sql`select 1 from audit_events where name = 'message.unavailable'`.execute(world.db);
  t.same(failed.rows, [], 'so that nobody makes it look broken by changing things');
});
