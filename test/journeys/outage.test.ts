import t from 'tap';
import { createCable } from '../helpers/cable.ts';
import { alice, postgresUrl, shop, startGateway } from '../helpers/gateway.ts';
import { createTestApp, nextCode, openLogin, passPassword } from '../helpers/relying-party.ts';

t.test('the database goes away in the middle of a login, and comes back', async (t) => {
  const cable = await createCable(t, await postgresUrl(t));
  const gateway = await startGateway(t, { databaseUrl: cable.url });
  const app = await createTestApp(gateway, shop);
  const walk = await passPassword(app, await openLogin(app), alice);
  const code = await nextCode(gateway.sms, alice.phone);

  await cable.pull();
  const away = await walk.browser.submit(walk.page, { code });
  t.equal(away.status, 503, 'a form is answered, not lost');
  t.match(away.html, /<h1/, 'with a page');
  const ready = await fetch(`${gateway.issuer}/readyz`);
  t.equal(ready.status, 503);
  t.ok(ready.headers.get('retry-after'));
  const json = await fetch(walk.page.url, { headers: { accept: 'application/json' } });
  t.ok(json.status >= 400 && json.status !== 500, `no 500 for JSON: ${json.status}`);
  t.equal((await fetch(`${gateway.issuer}/healthz`)).status, 200, 'the process lives');
  const token = await fetch(`${gateway.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: shop.redirectUri,
      code_verifier: 'v'.repeat(43),
    }),
    headers: { authorization: `Basic ${btoa(`${shop.id}:${shop.secret}`)}` },
  });
  t.equal(token.status, 503, 'OpenID endpoints say so too');
  t.ok(token.headers.get('retry-after'));
  const authorize = await fetch((await app.begin()).url, { redirect: 'manual' });
  t.equal(authorize.status, 503);

  await cable.plug();
  const done = await walk.browser.submit(walk.page, { code }, app.isCallback);
  t.ok(app.isCallback(done.url), `the login goes on: ${done.url.pathname} ${done.status}`);
  t.ok((await app.exchange(walk.attempt, done.url)).access_token);
});
