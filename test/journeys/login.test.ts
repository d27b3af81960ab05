import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';

import { alice, eachDatabaseUrl, shop, standard, startGateway } from '../helpers/gateway.ts';
import {
  createTestApp,
  nextCode,
  oauthError,
  openLogin,
  passPassword,
  signIn,
} from '../helpers/relying-party.ts';

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const gateway = await startGateway(t, { databaseUrl });
  const app = await createTestApp(gateway, shop);
  const jwks = createRemoteJWKSet(new URL(`${gateway.issuer}/jwks`));

  await t.test('password and code: the ID token says what happened', async (t) => {
    const before = Math.floor(Date.now() / 1000);
    const { tokens } = await signIn(gateway, app, alice);
    const { payload, protectedHeader } = await jwtVerify(tokens.id_token ?? '', jwks, {
      issuer: gateway.issuer,
      audience: shop.id,
    });
    t.equal(protectedHeader.alg, 'ES256');
    t.same(payload.amr, ['pwd', 'sms', 'mfa']);
    t.equal(payload.acr, 'urn:sallyport:acr:2');
    t.ok(Number(payload.auth_time) >= before - 1);
    const profile = await client.fetchUserInfo(app.configuration, tokens.access_token, String(payload.sub));
    t.equal(profile.preferred_username, 'alice');
  });

  await t.test('a second app request of the same browser needs nothing', async (t) => {
    const { browser } = await signIn(gateway, app, alice);
    const sent = gateway.sms.received.length;
    const again = await openLogin(app, browser);
    t.ok(app.isCallback(again.page.url), 'straight back to the application');
    const tokens = await app.exchange(again.attempt, again.page.url);
    t.same(tokens.claims()?.amr, ['pwd', 'sms', 'mfa'], 'and the tokens still say how');
    t.equal(gateway.sms.received.length, sent, 'without a message');
  });

  await t.test('prompt=login asks for everything again, max_age=0 too', async (t) => {
    const { browser } = await signIn(gateway, app, alice);
    for (const extra of [{ prompt: 'login' }, { max_age: '0' }]) {
      const again = await openLogin(app, browser, extra);
      t.match(again.page.html, /name="password"/, JSON.stringify(extra));
      t.match(again.page.html, /name="username"/);
    }
    const none = await openLogin(app, createBrowser(), { prompt: 'none' });
    t.equal(none.page.url.searchParams.get('error'), 'login_required');
  });

  await t.test('a wrong password, a wrong code, then the right ones', async (t) => {
    const start = await openLogin(app);
    const wrong = await start.browser.submit(start.page, { username: 'alice', password: 'no such password' });
    t.match(wrong.html, /do not match/);
    const unknown = await start.browser.submit(wrong, { username: 'nobody', password: 'no such password' });
    t.match(unknown.html, /do not match/);
    t.equal(unknown.status, wrong.status, 'an unknown user is answered alike');
    const second = await passPassword(app, { ...start, page: unknown }, alice);
    const code = await nextCode(gateway.sms, alice.phone);
    const refused = await start.browser.submit(second.page, {
      code: code === '111111' ? '222222' : '111111',
    });
    t.match(refused.html, /name="code"/);
    const spaced = `${code.slice(0, 3)} ${code.slice(3)}`;
    const done = await start.browser.submit(refused, { code: spaced }, app.isCallback);
    t.ok(app.isCallback(done.url), 'a code typed with a blank is accepted');
  });

  await t.test('a reload sends nothing, and the same code works in no other login', async (t) => {
    const start = await openLogin(app);
    const second = await passPassword(app, start, alice);
    const code = await nextCode(gateway.sms, alice.phone);
    const sent = gateway.sms.received.length;
    await start.browser.open(second.page.url);
    await start.browser.open(second.page.url);
    t.equal(gateway.sms.received.length, sent);

    const other = await passPassword(app, await openLogin(app), alice);
    const refused = await other.browser.submit(other.page, { code }, app.isCallback);
    t.notOk(app.isCallback(refused.url), 'the code of one login in another');
    await nextCode(gateway.sms, alice.phone);
  });

  await t.test('two tabs at once', async (t) => {
    const first = await openLogin(app);
    const second = await openLogin(app, first.browser);
    const firstCodePage = await passPassword(app, first, alice);
    const firstCode = await nextCode(gateway.sms, alice.phone);
    const secondCodePage = await passPassword(app, second, alice);
    const secondCode = await nextCode(gateway.sms, alice.phone);
    const a = await first.browser.submit(firstCodePage.page, { code: firstCode }, app.isCallback);
    t.ok(app.isCallback(a.url), 'the first tab finishes');
    const b = await first.browser.submit(secondCodePage.page, { code: secondCode }, app.isCallback);
    t.ok(app.isCallback(b.url), 'and so does the second');
    t.ok((await app.exchange(first.attempt, a.url)).access_token);
    t.ok((await app.exchange(second.attempt, b.url)).access_token);
  });

  await t.test('another browser cannot go on with a login', async (t) => {
    const start = await openLogin(app);
    const stranger = createBrowser();
    const page = await stranger.open(start.page.url);
    t.equal(page.status, 403);
    t.notMatch(page.html, /name="password"/);
  });

  await t.test('sign-out ends the session', async (t) => {
    const { browser, tokens } = await signIn(gateway, app, alice);
    const end = client.buildEndSessionUrl(app.configuration, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://localhost:4501/',
    });
    const isHome = (url: URL) => url.href.startsWith('http://localhost:4501/');
    let page = await browser.open(end, isHome);
    if (!isHome(page.url)) page = await browser.submit(page, { logout: 'yes' }, isHome);
    t.ok(isHome(page.url), `back at the application's page, not ${page.url.href}`);
    const again = await openLogin(app, browser);
    t.match(again.page.html, /name="password"/);
    await t.rejects(client.fetchUserInfo(app.configuration, tokens.access_token, client.skipSubjectCheck));
  });

  await t.test('refresh rotates; a used refresh token ends the family', async (t) => {
    const { tokens } = await signIn(gateway, app, alice, {
      scope: 'openid offline_access',
      prompt: 'consent',
    });
    const first = tokens.refresh_token ?? '';
    t.not(first, '', 'a refresh token came');
    const second = await client.refreshTokenGrant(app.configuration, first);
    t.not(second.refresh_token, first);
    t.equal(await oauthError(client.refreshTokenGrant(app.configuration, first)), 'invalid_grant');
    t.equal(
      await oauthError(client.refreshTokenGrant(app.configuration, second.refresh_token ?? '')),
      'invalid_grant',
    );
  });
});

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const people = ['bruno', 'carla', 'dora'].map((username, i) => ({
    ...alice,
    username,
    phone: `+44770090020${i}`,
    codeOff: true,
    backupCodes: i === 0 ? [] : ['N7GQD-RX3WC'],
  }));
  const files = standard('http://127.0.0.1:9/unused');
  const strict = {
    ...files.flows[0],
    id: 'strict',
    steps: [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'] },
    ],
  };
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      users: people,
      flows: [...files.flows, strict],
      apps: [...files.apps, { ...files.apps[0], id: 'strict-shop', flow: 'strict' }],
    },
  });
  const app = await createTestApp(gateway, shop);
  const [bruno, carla] = people;

  await t.test('code switched off, policy lets it, no backup code left: the password alone', async (t) => {
    const sent = gateway.sms.received.length;
    const start = await openLogin(app);
    const done = await passPassword(app, start, bruno!);
    t.ok(app.isCallback(done.page.url), 'straight back');
    const tokens = await app.exchange(start.attempt, done.page.url);
    t.same(tokens.claims()?.amr, ['pwd']);
    t.equal(tokens.claims()?.acr, 'urn:sallyport:acr:1');
    t.equal(gateway.sms.received.length, sent, 'no message');
  });

  await t.test('code switched off, but the flow does not let it: the code as usual', async (t) => {
    const strictApp = await createTestApp(gateway, { ...shop, id: 'strict-shop' });
    const { tokens } = await signIn(gateway, strictApp, bruno!);
    t.same(tokens.claims()?.amr, ['pwd', 'sms', 'mfa']);
  });

  await t.test(
    'code switched off, a backup code left: it is asked, and with the last one the code is on again',
    async (t) => {
      const start = await openLogin(app);
      const second = await passPassword(app, start, carla!);
      t.match(second.page.html, /name="code"/, 'the backup code is asked for');
      const done = await start.browser.submit(second.page, { code: 'n7gqd rx3wc' }, app.isCallback);
      const tokens = await app.exchange(start.attempt, done.url);
      t.same(tokens.claims()?.amr, ['pwd', 'otp', 'mfa']);
      const again = await signIn(gateway, app, carla!);
      t.same(again.tokens.claims()?.amr, ['pwd', 'sms', 'mfa'], 'next time a code is sent');
    },
  );
});
