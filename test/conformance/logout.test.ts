import t, { type Test } from 'tap';
import type { Browser, BrowserPage } from '../../src/demo/index.ts';
import { client, createParty, openSuite, type Params, type Party } from './support.ts';

/* RP-Initiated Logout plan. */

await t.test('RP-initiated logout plan', async (t) => {
  const party = createParty(await openSuite(t), 'query');
  const isHome = (url: URL) => url.href.startsWith(client.home);

  const open = (browser: Browser, params: Params): Promise<BrowserPage> => {
    const url = new URL('/session/end', party.issuer);
    for (const [name, value] of Object.entries(params)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return browser.open(url, party.isCallback);
  };
  const asks = (page: BrowserPage) => page.html.includes('name="logout"');
  const confirm = (browser: Browser, page: BrowserPage) =>
    browser.submit(page, { logout: 'yes' }, party.isCallback);

  /** The page or redirect at the end of a logout with these parameters. */
  async function logOut(browser: Browser, params: Params): Promise<BrowserPage> {
    const page = await open(browser, params);
    return asks(page) ? confirm(browser, page) : page;
  }

  /** Asked silently, the gateway knows nobody in this browser. */
  async function isSignedOut(t: Test, party: Party, browser: Browser): Promise<void> {
    const { params } = await party.authorize({ prompt: 'none' }, browser);
    t.equal(params.get('error'), 'login_required', 'the session is over');
  }

  /** The gateway's own page ends it: nobody is sent to an application. */
  function staysHere(t: Test, page: BrowserPage): void {
    t.equal(page.url.origin, party.issuer, 'the browser stays at the gateway');
    t.match(page.status, /^[24]/);
  }

  await t.test('oidcc-rp-initiated-logout-discovery-endpoint-verification', async (t) => {
    const document = await party.discovery();
    t.equal(document.end_session_endpoint, `${party.issuer}/session/end`);
  });

  await t.test('oidcc-rp-initiated-logout', async (t) => {
    const { browser, tokens } = await party.signIn();
    const end = await logOut(browser, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: client.home,
      state: 'where-i-was',
    });
    t.ok(isHome(end.url));
    t.equal(end.url.searchParams.get('state'), 'where-i-was');
    await isSignedOut(t, party, browser);
    t.equal((await party.userinfo(tokens.access_token)).status, 401, 'and its access token with it');
  });

  await t.test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', async (t) => {
    const { browser, tokens } = await party.signIn();
    const page = await open(browser, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: 'http://localhost:4501/not-registered',
      state: 'x',
    });
    t.equal(page.status, 400);
    staysHere(t, page);
  });

  await t.test('oidcc-rp-initiated-logout-modified-id-token-hint', async (t) => {
    const { browser, tokens } = await party.signIn();
    const [header, payload, signature = ''] = tokens.id_token.split('.');
    const first = signature.startsWith('A') ? 'B' : 'A';
    const page = await open(browser, {
      id_token_hint: `${header}.${payload}.${first}${signature.slice(1)}`,
      post_logout_redirect_uri: client.home,
      state: 'x',
    });
    t.equal(page.status, 400);
    staysHere(t, page);
  });

  await t.test('oidcc-rp-initiated-logout-no-id-token-hint', async (t) => {
    const { browser } = await party.signIn();
    const page = await open(browser, { post_logout_redirect_uri: client.home, state: 'x' });
    // Without a hint nobody says whose address that is (section 2 of the specification).
    staysHere(t, page);
    if (asks(page)) staysHere(t, await confirm(browser, page));
  });

  await t.test('oidcc-rp-initiated-logout-no-params', async (t) => {
    const { browser } = await party.signIn();
    const page = await open(browser, {});
    t.ok(asks(page), 'any page may have sent the browser: the person decides');
    staysHere(t, await confirm(browser, page));
    await isSignedOut(t, party, browser);
  });

  await t.test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', async (t) => {
    const { browser, tokens } = await party.signIn();
    staysHere(t, await logOut(browser, { id_token_hint: tokens.id_token, state: 'x' }));
    await isSignedOut(t, party, browser);
  });

  await t.test('oidcc-rp-initiated-logout-no-state', async (t) => {
    const { browser, tokens } = await party.signIn();
    const end = await logOut(browser, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: client.home,
    });
    t.ok(isHome(end.url));
    t.notOk(end.url.searchParams.has('state'), 'none was sent');
    await isSignedOut(t, party, browser);
  });

  await t.test('oidcc-rp-initiated-logout-only-state', async (t) => {
    const { browser } = await party.signIn();
    staysHere(t, await logOut(browser, { state: 'x' }));
    await isSignedOut(t, party, browser);
  });

  await t.test('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', async (t) => {
    const { browser, tokens } = await party.signIn();
    const page = await open(browser, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: `${client.home}?foo=bar`,
      state: 'x',
    });
    t.equal(page.status, 400);
    staysHere(t, page);
  });

  await t.test('oidcc-rp-initiated-logout-bad-id-token-hint', async (t) => {
    const { browser } = await party.signIn();
    const page = await open(browser, {
      id_token_hint: 'not.a.token',
      post_logout_redirect_uri: client.home,
      state: 'x',
    });
    t.equal(page.status, 400);
    staysHere(t, page);
  });
});
