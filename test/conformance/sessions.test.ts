import { mock } from 'node:test';
import type { Test } from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { alice, inBothResponseModes } from './support.ts';

/* Basic plan: when a person is asked, and what the request says about that. */

/** Everything behind runs in this process: its clock stands `ms` later while the test runs. */
function moveClock(t: Test, ms: number): void {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + ms });
  t.teardown(() => mock.timers.reset());
}

await inBothResponseModes(async (t, party) => {
  await t.test('oidcc-prompt-login', async (t) => {
    const first = await party.signIn();
    moveClock(t, 2_000);
    const second = await party.signIn({ prompt: 'login' }, first.browser);
    t.ok(second.asked, 'the person is asked once more');
    t.equal(second.claims.sub, first.claims.sub);
    t.ok(Number(second.claims.auth_time) > Number(first.claims.auth_time));
  });

  await t.test('oidcc-prompt-none-not-logged-in', async (t) => {
    const { params, asked, state } = await party.authorize({ prompt: 'none' });
    t.notOk(asked);
    t.equal(params.get('error'), 'login_required');
    t.equal(params.get('state'), state);
    t.equal(params.get('iss'), party.issuer);
    t.notOk(params.has('code'));
  });

  await t.test('oidcc-prompt-none-logged-in', async (t) => {
    const first = await party.signIn();
    const second = await party.signIn({ prompt: 'none' }, first.browser);
    t.notOk(second.asked);
    t.equal(second.claims.sub, first.claims.sub);
    t.equal(second.claims.auth_time, first.claims.auth_time);
  });

  await t.test('oidcc-max-age-1', async (t) => {
    const first = await party.signIn();
    moveClock(t, 2_000);
    const second = await party.signIn({ max_age: '1' }, first.browser);
    t.ok(second.asked, 'the login is too old');
    t.equal(second.claims.sub, first.claims.sub);
    t.ok(Number(second.claims.auth_time) > Number(first.claims.auth_time));
  });

  await t.test('oidcc-max-age-10000', async (t) => {
    const first = await party.signIn();
    moveClock(t, 2_000);
    const second = await party.signIn({ max_age: '10000' }, first.browser);
    t.notOk(second.asked);
    t.equal(second.claims.sub, first.claims.sub);
    t.type(second.claims.auth_time, 'number');
    t.equal(second.claims.auth_time, first.claims.auth_time);
  });

  await t.test('oidcc-id-token-hint', async (t) => {
    const first = await party.signIn();
    const hint = { prompt: 'none', id_token_hint: first.tokens.id_token };
    const second = await party.signIn(hint, first.browser);
    t.notOk(second.asked);
    t.equal(second.claims.sub, first.claims.sub);
    const elsewhere = await party.authorize(hint, createBrowser());
    t.equal(elsewhere.params.get('error'), 'login_required', 'a hint is no login');
  });

  await t.test('oidcc-login-hint', async (t) => {
    const page = await party.open({ login_hint: alice.username });
    t.match(page.html, new RegExp(`name="username"[^>]*value="${alice.username}"`), 'the name is filled in');
    t.ok((await party.signIn({ login_hint: 'somebody@example.test' })).asked);
  });

  await t.test('oidcc-ui-locales', async (t) => {
    const page = await party.open({ ui_locales: 'tlh fr en' });
    t.match(page.html, /<html lang="fr"/, 'the first language that we have');
    t.ok((await party.signIn({ ui_locales: 'tlh' })).asked, 'an unknown one does not hinder');
  });

  await t.test('oidcc-claims-locales', async (t) => {
    const { tokens, claims } = await party.signIn({ claims_locales: 'se', scope: 'openid profile' });
    t.equal((await party.userinfo(tokens.access_token)).body.sub, claims.sub);
  });

  await t.test('oidcc-ensure-request-with-acr-values-succeeds', async (t) => {
    const level = 'urn:sallyport:acr:1';
    t.equal((await party.signIn({ acr_values: `2 ${level}` })).claims.acr, level);
    t.equal((await party.signIn({ acr_values: '1 2' })).claims.acr, level, 'they are a wish only');
  });

  await t.test('oidcc-display-page', async (t) => {
    t.ok((await party.signIn({ display: 'page' })).asked);
  });

  await t.test('oidcc-display-popup', async (t) => {
    t.ok((await party.signIn({ display: 'popup' })).asked);
  });

  const reuse = async (t: Test, delayMs: number) => {
    const answer = await party.signIn();
    const { access_token: accessToken } = answer.tokens;
    t.equal((await party.userinfo(accessToken)).status, 200);
    moveClock(t, delayMs);
    const again = await party.redeem(answer);
    t.equal(again.status, 400);
    t.equal(again.body.error, 'invalid_grant');
    t.equal(
      (await party.userinfo(accessToken)).status,
      401,
      'and its tokens are void (RFC 6749, section 4.1.2)',
    );
  };

  await t.test('oidcc-codereuse', (t) => reuse(t, 0));

  await t.test('oidcc-codereuse-30seconds', (t) => reuse(t, 30_000));
});
