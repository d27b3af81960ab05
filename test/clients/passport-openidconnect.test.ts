import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { type Profile, Strategy } from 'passport-openidconnect';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { openWorld, typePassword } from './support.ts';

await t.test('passport-openidconnect: login and profile', async (t) => {
  // The library has no PKCE and sends its secret in the body: the app's entry says so.
  const { gateway, origin, serve, id, secret } = await openWorld(t, {
    pkce: 'optional',
    tokenEndpointAuthMethod: 'client_secret_post',
  });
  const { issuer } = gateway;
  const verify = (_issuer: string, profile: Profile, done: (error: null, user: object) => void) =>
    done(null, profile);
  passport.use(
    new Strategy(
      {
        issuer,
        authorizationURL: `${issuer}/authorize`,
        tokenURL: `${issuer}/token`,
        userInfoURL: `${issuer}/userinfo`,
        clientID: id,
        clientSecret: secret,
        callbackURL: `${origin}/callback`,
        scope: ['profile', 'email'],
        skipUserProfile: false,
      },
      verify,
    ),
  );
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));

  const app = express();
  app.use(session({ secret: 'of the session cookie', resave: false, saveUninitialized: false }));
  app.use(passport.session());
  app.get('/login', passport.authenticate('openidconnect'));
  app.get('/callback', passport.authenticate('openidconnect'), (_request, response) =>
    response.redirect('/'),
  );
  app.get('/', (request, response) => {
    response.json((request as { user?: Profile }).user ?? null);
  });
  serve(app);

  const browser = createBrowser();
  t.equal((await browser.open(origin)).html, 'null');
  const page = await typePassword(browser, await browser.open(`${origin}/login`));
  t.equal(page.url.href, `${origin}/`);
  const user = JSON.parse(page.html) as Profile;
  t.equal(user.displayName, 'Alice');
  t.equal(user.username, 'alice');
  t.equal(user.emails?.[0]?.value, 'alice@example.test');
});
