import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import expressOpenidConnect, { type ConfigParams, type SessionStore } from 'express-openid-connect';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { type ClientWorld, openWorld, typePassword } from './support.ts';

const { auth, requiresAuth } = expressOpenidConnect;

/** An app with a public page and one for people who have signed in. */
function startApp({ gateway, origin, serve, id, secret }: ClientWorld, more: ConfigParams) {
  const app = express();
  app.use(
    auth({
      issuerBaseURL: gateway.issuer,
      baseURL: origin,
      clientID: id,
      clientSecret: secret,
      secret: 'of the session cookie, long enough',
      authorizationParams: { response_type: 'code' },
      authRequired: false,
      ...more,
    }),
  );
  app.get('/', (request, response) => {
    response.send(request.oidc.isAuthenticated() ? 'welcome back' : 'welcome');
  });
  app.get('/profile', requiresAuth(), async (request, response) => {
    response.json(await request.oidc.fetchUserInfo());
  });
  serve(app);
}

/** The library expects RS256 unless told otherwise: the app's entry says so. */
const entry = { idTokenSignedResponseAlg: 'RS256' };

await t.test('express-openid-connect: login, profile, sign-out', async (t) => {
  const world = await openWorld(t, entry);
  const { origin } = world;
  startApp(world, { idpLogout: true });

  const browser = createBrowser();
  const page = await typePassword(browser, await browser.open(`${origin}/profile`));
  t.equal(page.url.href, `${origin}/profile`, 'back where the person wanted to go');
  t.match(JSON.parse(page.html), { name: 'Alice', email: 'alice@example.test' });

  const question = await browser.open(`${origin}/logout`);
  const done = await browser.submit(question, { logout: 'yes' });
  t.equal(done.url.origin, origin);
  t.equal(done.html, 'welcome');
  const again = await browser.open(`${origin}/profile`);
  t.match(again.html, /name="password"/, 'signed out at both');
});

function memoryStore<Data>(): SessionStore<Data> {
  const kept = new Map<string, Parameters<SessionStore<Data>['set']>[1]>();
  return {
    get: (key, done) => done(null, kept.get(key)),
    set: (key, value, done) => {
      kept.set(key, value);
      done?.();
    },
    destroy: (key, done) => {
      kept.delete(key);
      done?.();
    },
  };
}

await t.test('express-openid-connect: pushed requests and back-channel logout', async (t) => {
  const world = await openWorld(t, (origin) => ({
    ...entry,
    requirePushedAuthorizationRequests: true,
    backchannelLogoutUri: `${origin}/backchannel-logout`,
    allowPrivateNetwork: true,
  }));
  const { gateway, origin } = world;
  startApp(world, {
    pushedAuthorizationRequests: true,
    backchannelLogout: { store: memoryStore() },
  });

  const browser = createBrowser();
  await typePassword(browser, await browser.open(`${origin}/profile`));
  t.equal((await browser.open(origin)).html, 'welcome back');

  // The person signs out at the gateway, and no browser tells the app.
  const question = await browser.open(`${gateway.issuer}/session/end`);
  await browser.submit(question, { logout: 'yes' });
  const until = Date.now() + 10_000;
  let html = 'welcome back';
  while (html === 'welcome back' && Date.now() < until) {
    await wait(100);
    html = (await browser.open(origin)).html;
  }
  t.equal(html, 'welcome', 'the gateway does');
});
