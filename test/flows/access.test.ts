import t from 'tap';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import {
  ada,
  type Browser,
  events,
  heading,
  issuer,
  newestCode,
  openWorld,
  passwordThenCode,
  type World,
} from './harness.ts';

const minute = 60_000;
const credentials = { username: 'ada', password: ada.password ?? '' };
const shopPages = 'https://login.shop.test';

t.test('a login belongs to its browser, its time and its page', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser();

    await t.test('another browser', async (t) => {
      const browser = await world.browser();
      const other = await world.browser();
      for (const cookies of [{}, { 'sp-login': 'guess' }, { 'sp-login': other.cookies['sp-login'] ?? '' }]) {
        const headers = { accept: 'text/html' };
        const url = `/login/${browser.loginId}`;
        const answer = await world.app.inject({ method: 'GET', url, cookies, headers });
        t.equal(answer.statusCode, 403);
        t.match(answer.body, 'was started in another browser');
        t.equal((await world.app.inject({ method: 'POST', url, cookies, headers })).statusCode, 403);
      }
    });

    await t.test('a form of somebody else', async (t) => {
      const browser = await world.browser();
      const page = await browser.get();
      t.equal((await browser.post({ ...credentials, _token: 'made-up' }, page)).status, 403);
      t.equal(world.messages.length, 0);
    });

    await t.test('too late, or unknown', async (t) => {
      const browser = await world.browser();
      const page = await browser.get();
      world.clock.pass(15 * minute);
      const late = await browser.get();
      t.equal(late.status, 410);
      t.match(late.body, 'This sign-in took too long');
      t.match(late.body, 'https://shop.test/');
      t.equal((await browser.post(credentials, page)).status, 410);
      t.match(await browser.json(), { status: 410, body: { code: 'login_expired' } });
      for (const id of ['lgn_aaaaaaaaaaaaaaaaaaaaaa', 'x', '%20']) {
        const headers = { accept: 'text/html' };
        const answer = await world.app.inject({ method: 'GET', url: `/login/${id}`, headers });
        t.equal(answer.statusCode, 410, id);
      }
    });

    await t.test('an older page of another tab is answered with the present one', async (t) => {
      const browser = await world.browser();
      const tab = await browser.get();
      await browser.submit(credentials);
      const sent = world.messages.length;
      const stale = await browser.post({ username: 'ada', password: 'wrong' }, tab);
      t.equal(stale.status, 303);
      t.equal(heading(await browser.get()), 'Enter code');
      t.equal(world.messages.length, sent);
      t.notOk((await events(world, browser.loginId)).includes('login.step.failed:wrong'));
    });

    await t.test('cancel, “I did not ask for this”, “Not you?”', async (t) => {
      for (const [action, event] of [
        ['cancel', 'login.abandoned:cancelled'],
        ['not-mine', 'login.abandoned:not-requested'],
      ] as const) {
        const browser = await world.browser({ continuationKey: action });
        t.equal((await browser.submit({ action })).location, '/authorize/resume');
        t.match(await world.flows.findByContinuation(storage.db, action), {
          status: 'cancelled',
          result: null,
        });
        t.ok((await events(world, browser.loginId)).includes(event));
      }
      world.clock.pass(minute);
      const browser = await world.browser();
      await browser.submit(credentials);
      const again = await browser.submit({ action: 'restart' });
      t.equal(heading(again), 'Sign in');
      t.notMatch(again.body, 'value="ada"');
    });

    await t.test('a local place', async (t) => {
      const local = { kind: 'local', path: '/account' } as const;
      const browser = await world.browser({ continuation: local });
      t.equal((await browser.submit({ action: 'cancel' })).location, 'https://shop.test/');
    });

    await t.test('an account that was disabled is told so only after the right password', async (t) => {
      const user = await world.users.findByIdentifier(storage.db, 'ada');
      await storage.transaction((tx) => world.users.setDisabled(tx, user?.id ?? '', true, world.clock.now()));
      const browser = await world.browser({ continuationKey: 'disabled' });
      t.match((await browser.submit({ ...credentials, password: 'wrong' })).body, 'do not match');
      const told = await browser.submit(credentials);
      t.match(told.body, 'Your account is switched off.');
      t.notMatch(told.body, 'Step 1 of', 'it is over: no step is shown');
      t.equal((await browser.submit({ action: 'leave' })).location, '/authorize/resume');
      t.match(await world.flows.findByContinuation(storage.db, 'disabled'), { status: 'failed' });
    });
  }),
);

t.test('over JSON, from pages that the application draws itself', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser();
    const browser = await world.browser();
    const first = await browser.screen();
    t.match(first, { name: 'password', heading: 'Sign in', version: 1, progress: { current: 1, total: 2 } });

    const wrong = await browser.json({ version: 1, username: 'ada', password: 'no' });
    t.equal(wrong.status, 200);
    t.ok(wrong.body.screen?.fields.some(({ error }) => String(error).includes('do not match')));

    const { body } = await browser.json({ version: 1, ...credentials }, { origin: shopPages });
    t.equal(body.screen?.name, 'sms-otp');
    const stale = await browser.json({ version: 1, ...credentials });
    t.equal(stale.body.screen?.version, 2, 'an older version is answered with the present screen');
    const done = await browser.json({ version: 2, code: newestCode(world) });
    t.same(done, { status: 200, body: { next: new URL('/authorize/resume', issuer).href } });

    const url = `/login/${browser.loginId}`;
    const send = (headers: Record<string, string>, payload: string) =>
      world.app.inject({
        ...{ method: 'POST', url, payload, cookies: browser.cookies },
        headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      });
    t.equal((await send({}, '{}')).statusCode, 403, 'without an Origin');
    t.equal((await send({ origin: 'https://evil.test' }, '{}')).statusCode, 403);
    const form = { origin: issuer.origin, 'content-type': 'application/x-www-form-urlencoded' };
    t.equal((await send(form, 'version=1')).statusCode, 415);

    for (const [origin, allowed] of [
      [shopPages, shopPages],
      ['https://evil.test', undefined],
    ] as const) {
      const asked = await world.app.inject({
        ...{ method: 'OPTIONS', url },
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      t.equal(asked.statusCode, 204);
      t.equal(asked.headers['access-control-allow-origin'], allowed);
      t.equal(asked.headers['access-control-allow-credentials'], allowed && 'true');
    }
  }),
);

t.test('who does not exist sees what everybody sees', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'] },
    ]);
    await world.addUser();
    const way = async (username: string) => {
      const browser = await world.browser();
      const seen: string[] = [];
      const note = async (name: string, fields: Record<string, string>) => {
        const { status, body } = await browser.submit(fields);
        // The name may stand in the id.
        const plain = body.replaceAll(browser.loginId, 'ID').replaceAll(username, 'NAME');
        seen.push(`${name} ${status} ${plain.replace(/name="_token" value="[^"]*"/, '')}`);
      };
      await note('who', { username });
      for (let tries = 0; tries < 7; tries++) await note('first', { password: 'wrong one' });
      return seen;
    };
    const known = await way('ada');
    const unknown = await way('zoe');
    t.equal(known.length, 8);
    t.match(known.at(-1), /first 429/, 'throttled in the end');
    t.same(unknown, known);
  }),
);

t.test('a code before the password tells nothing either', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'who', options: ['identify'] },
      { id: 'code', options: ['sms-otp'] },
    ]);
    await world.addUser();
    const way = async (username: string) => {
      world.clock.pass(60 * minute);
      const browser: Browser = await world.browser();
      const pages = [await browser.submit({ username })];
      pages.push(await browser.submit({ action: 'resend' }));
      world.clock.pass(31_000);
      pages.push(await browser.submit({ action: 'resend' }));
      for (let tries = 0; tries < 5; tries++) pages.push(await browser.submit({ code: 'abc' }));
      const now = world.clock.now().getTime();
      return pages.map(({ status, body }) => {
        const plain = body.replaceAll(browser.loginId, 'ID').replace(/name="_token" value="[^"]*"/, '');
        return `${status} ${plain.replace(/\d{13}/g, (at) => String(Number(at) - now))}`;
      });
    };
    const known = await way('ada');
    t.equal(world.messages.length, 2);
    t.notMatch(known.join(), '67', 'not even the last digits');
    t.same(await way('zoe'), known);
    t.equal(world.messages.length, 2);

    world.clock.pass(60 * minute);
    const browser = await world.browser({ continuationKey: 'in' });
    await browser.submit({ username: 'ADA@example.test' });
    t.equal((await browser.submit({ code: newestCode(world) })).location, '/authorize/resume');
    t.same((await world.flows.findByContinuation(storage.db, 'in'))?.result?.amr, ['sms']);
  }),
);

t.test('two submits at once: one wins', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, passwordThenCode);
    const user = await world.addUser({ ...ada, backupCodes: ['KTQ7X-M3WPA'] });
    const browser = await world.browser();
    await browser.submit(credentials);
    const page = await browser.get();
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => browser.post({ code: newestCode(world) }, page)),
    );
    t.ok(answers.every(({ status }) => [303, 422].includes(status)));
    t.equal(await sessionsOf(world, user.id), 1);

    const rivals = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const rival = await world.browser();
        await rival.submit(credentials);
        await rival.submit({ action: 'choose:backup-code' });
        return { rival, page: await rival.get() };
      }),
    );
    const results = await Promise.all(
      rivals.map(({ rival, page: own }) => rival.post({ code: 'KTQ7X-M3WPA' }, own)),
    );
    t.equal(results.filter(({ location }) => location === '/authorize/resume').length, 1);
    t.equal(await sessionsOf(world, user.id), 2);
  }),
);

const sessionsOf = async ({ storage }: World, userId: string): Promise<number> =>
  (await storage.db.selectFrom('sessions').select('id').where('user_id', '=', userId).execute()).length;
