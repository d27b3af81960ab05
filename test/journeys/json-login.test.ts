/** An application that draws its own login pages: a page on another port of localhost, and everything in JSON. */
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import {
  alice,
  eachDatabaseUrl,
  shop,
  standard,
  startGateway,
  type TestGateway,
} from '../helpers/gateway.ts';
import { createTestApp, nextCode } from '../helpers/relying-party.ts';

const own = 'http://localhost:4502';

interface Field {
  name: string;
  error?: string;
}
interface Body {
  screen?: { name: string; version: number; heading: string; fields: Field[]; actions: { name: string }[] };
  next?: string;
  code?: string;
}
type Headers = Record<string, string>;

/** What a browser does for a script of the application's page: it adds cookies and Origin, and asks before it posts. */
function pageOf(gateway: TestGateway, login: string, cookie: string, origin = own) {
  const url = new URL(`/login/${login}`, gateway.issuer);
  const call = async (method: string, headers: Headers, body?: string) => {
    const response = await fetch(url, {
      method,
      headers: { origin, cookie: `sp-login=${cookie}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    return {
      status: response.status,
      headers: response.headers,
      // A browser keeps the answer from the script unless it names this very origin, and credentials.
      readable:
        response.headers.get('access-control-allow-origin') === origin &&
        response.headers.get('access-control-allow-credentials') === 'true',
      body: (type.includes('json') ? JSON.parse(text) : {}) as Body,
    };
  };
  const accept = { accept: 'application/json' };
  return {
    get: () => call('GET', accept),
    preflight: () =>
      call('OPTIONS', {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
        cookie: '',
      }),
    post: (values: object, headers: Headers = {}) =>
      call('POST', { ...accept, 'content-type': 'application/json', ...headers }, JSON.stringify(values)),
  };
}

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const files = standard('');
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      apps: [
        { ...files.apps[0], loginUrl: `${own}/sign-in` },
        { ...files.apps[0], id: 'other' },
      ],
    },
  });
  const app = await createTestApp(gateway, shop);
  /** The way to the application's page, and what the browser brings there. */
  const begin = async (extra: Record<string, string> = {}) => {
    const attempt = await app.begin(extra);
    const browser = createBrowser();
    const { url } = await browser.open(attempt.url, ({ origin }) => origin === own);
    const login = url.searchParams.get('login') ?? '';
    const cookie = browser.cookie('sp-login') ?? '';
    return { attempt, browser, url, login, cookie, page: pageOf(gateway, login, cookie) };
  };

  await t.test('password, a wrong code, the right one, and back with tokens', async (t) => {
    const { attempt, browser, url, page } = await begin({ ui_locales: 'de' });
    t.equal(`${url.origin}${url.pathname}`, `${own}/sign-in`);

    const asked = await page.preflight();
    t.equal(asked.status, 204);
    t.ok(asked.readable);
    t.match(asked.headers.get('access-control-allow-methods'), 'POST');
    t.match(asked.headers.get('access-control-allow-headers'), 'content-type');

    const first = await page.get();
    t.ok(first.readable);
    t.match(first.headers.get('cache-control'), 'no-store');
    t.match(first.body.screen, { name: 'password', version: 1, heading: 'Anmelden' });
    const wrong = await page.post({ version: 1, username: alice.username, password: 'no such password' });
    t.match(
      wrong.body.screen?.fields.find(({ name }) => name === 'password')?.error,
      'stimmt nicht',
      'in the reader’s language',
    );
    const credentials = { username: alice.username, password: alice.password };
    const second = await page.post({ version: wrong.body.screen?.version, action: 'submit', ...credentials });
    t.match(second.body.screen, { name: 'sms-otp', version: 2 });
    t.ok(second.body.screen?.actions.some(({ name }) => name === 'choose:backup-code'));
    const code = await nextCode(gateway.sms, alice.phone);

    const stale = await page.post({ version: 1, ...credentials });
    t.match(stale, { status: 200, body: { screen: { name: 'sms-otp', version: 2 } } }, 'the present screen');
    const refused = await page.post({ version: 2, code: code === '111111' ? '222222' : '111111' });
    t.match(refused, { status: 200, body: { screen: { name: 'sms-otp' } } });
    t.ok(refused.body.screen?.fields[0]?.error);
    const done = await page.post({ version: refused.body.screen?.version, code });
    t.ok(done.readable);
    t.equal(new URL(done.body.next ?? '').origin, gateway.issuer);
    t.match(await page.get(), { body: { next: done.body.next } }, 'asked again, the same answer');

    const back = await browser.open(done.body.next ?? '', app.isCallback);
    const tokens = await app.exchange(attempt, back.url);
    t.same(tokens.claims()?.amr, ['pwd', 'sms', 'mfa']);
    t.match(await page.get(), { status: 410, readable: true, body: { code: 'login_expired' } }, 'it is over');
  });

  await t.test('cancelled: back to the application with an error', async (t) => {
    const { browser, page } = await begin();
    const { body } = await page.post({ version: 1, action: 'cancel' });
    const back = await browser.open(body.next ?? '', app.isCallback);
    t.equal(back.url.searchParams.get('error'), 'access_denied');
  });

  await t.test('no other origin, no other browser, nothing but JSON', async (t) => {
    const { login, cookie, page } = await begin();
    const evil = pageOf(gateway, login, cookie, 'http://localhost:4599');
    t.notOk((await evil.preflight()).readable);
    t.notOk((await evil.get()).readable, 'a page of another port reads nothing');
    t.match(await evil.post({ version: 1, action: 'cancel' }), { status: 403, readable: false });
    const stranger = await pageOf(gateway, login, 'another-secret').get();
    t.match(stranger, { status: 403, body: { code: 'other_browser' } });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const { status } = await page.post({ version: 1 }, { 'content-type': type });
      t.equal(status, 415, type);
    }
    t.match(await page.get(), { body: { screen: { version: 1 } } }, 'the login stands where it stood');

    const other = await createTestApp(gateway, { ...shop, id: 'other' });
    const hosted = createBrowser();
    const { url } = await hosted.open((await other.begin()).url);
    const theirs = pageOf(gateway, url.pathname.split('/').at(-1) ?? '', hosted.cookie('sp-login') ?? '');
    t.notOk((await theirs.get()).readable, 'nor the login of an application with other pages');
  });

  await t.test('too late', async (t) => {
    const { login, page } = await begin();
    const { db } = gateway.running.context.storage;
    await db
      .updateTable('logins')
      .set({ expires_at: new Date(0) })
      .where('id', '=', login)
      .execute();
    for (const answer of [await page.get(), await page.post({ version: 1 })]) {
      t.match(answer, { status: 410, readable: true, body: { code: 'login_expired' } });
    }
    const unknown = await pageOf(gateway, `lgn_${'a'.repeat(22)}`, 'x').get();
    t.match(unknown, { status: 410, readable: true }, 'a login that nobody knows looks the same');
  });
});
