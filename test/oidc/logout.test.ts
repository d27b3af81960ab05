import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, type Harness, openOidc, sessionsOf, shop } from './harness.ts';

const logoutUri = 'https://shop.example/logout';
const told = { ...shop, backchannelLogoutUri: logoutUri };

async function openWithJobs(t: Test, storage: Storage): Promise<Harness> {
  const gateway = await openOidc(t, storage);
  await storage.jobs.start();
  t.teardown(() => storage.jobs.stop());
  return gateway;
}

async function noticesOf(gateway: Harness, count: number) {
  for (let tries = 0; gateway.notices.length < count && tries < 200; tries++) await sleep(50);
  return gateway.notices;
}

async function read(gateway: Harness, form: URLSearchParams | undefined, audience = 'shop') {
  const jwks = await (await fetch(new URL('/jwks', gateway.issuer))).json();
  const token = form?.get('logout_token') ?? '';
  const { payload } = await jwtVerify(token, createLocalJWKSet(jwks as JSONWebKeySet), {
    issuer: gateway.issuer.origin,
    audience,
    typ: 'logout+jwt',
  });
  return { payload, header: decodeProtectedHeader(token) };
}

t.test('a session that is revoked: each of its apps that asked gets a logout token', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openWithJobs(t, storage);
    gateway.apps.set('shop', told);
    gateway.apps.set('quiet', { ...shop, id: 'quiet' });
    gateway.apps.set('private', {
      ...told,
      id: 'private',
      subjectType: 'pairwise',
      allowPrivateNetwork: true,
      backchannelLogoutUri: 'https://private.example/logout',
    });
    const first = await gateway.signIn();
    const { browser } = first;
    await gateway.signIn({}, { browser, app: 'quiet' });
    const third = await gateway.signIn({}, { browser, app: 'private' });
    const [session] = await sessionsOf(gateway);
    t.equal(first.tokens.claims()?.sid, session?.id, 'sid is our name of the session');
    t.not(third.tokens.claims()?.sid, session?.id, 'but not for apps that may not compare');
    await gateway.signIn({}, { browser: createBrowser() });

    const now = systemClock.now();
    await storage.transaction((tx) => gateway.sessions.revoke(tx, session?.id ?? '', 'test', now));
    const notices = await noticesOf(gateway, 2);
    await sleep(100);
    t.equal(notices.length, 2, 'one each; nobody hears of the other session');
    const toShop = notices.find(({ url }) => url === logoutUri);
    t.equal(toShop?.allowPrivateNetwork, false);
    const { payload, header } = await read(gateway, toShop?.form);
    t.equal(header.alg, 'ES256');
    t.match(payload, {
      sub: alice.id,
      sid: session?.id,
      jti: /^lgt_/,
      iat: Number,
      exp: Number,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    t.notOk('nonce' in payload);
    const toPrivate = notices.find(({ url }) => url !== logoutUri);
    t.equal(toPrivate?.allowPrivateNetwork, true);
    t.match((await read(gateway, toPrivate?.form, 'private')).payload, {
      sub: third.tokens.claims()?.sub,
      sid: third.tokens.claims()?.sid,
    });

    await storage.transaction((tx) => gateway.sessions.revokeAll(tx, alice.id, 'test', now));
    t.equal((await noticesOf(gateway, 3)).length, 3, 'the other session, with all of the user');
  });
});

t.test('leaving by the page: told once; a session that stays is not spoken of', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openWithJobs(t, storage);
    gateway.apps.set('shop', told);
    const { browser, tokens } = await gateway.signIn();
    const end = new URL('/session/end', gateway.issuer);
    end.searchParams.set('id_token_hint', tokens.id_token ?? '');
    const page = await browser.open(end, gateway.isCallback);
    await browser.submit(page, {}, gateway.isCallback);
    await sleep(2500);
    t.equal(gateway.notices.length, 0);
    const again = await gateway.signIn({}, { browser });
    t.notOk(again.asked);

    await browser.submit(await browser.open(end, gateway.isCallback), { logout: 'yes' }, gateway.isCallback);
    t.equal((await noticesOf(gateway, 1)).length, 1);
    await sleep(100);
    t.equal(gateway.notices.length, 1);
    t.equal((await read(gateway, gateway.notices[0]?.form)).payload.sid, tokens.claims()?.sid);
  });
});

t.test('an app that does not answer is told again', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openWithJobs(t, storage);
    gateway.apps.set('shop', told);
    gateway.answers.push(500, new Error('connect ECONNREFUSED'), 204);
    await gateway.signIn();
    const now = systemClock.now();
    await storage.transaction((tx) => gateway.sessions.revokeAll(tx, alice.id, 'test', now));
    t.equal((await noticesOf(gateway, 2)).length, 2);
    const warnings = gateway.log.lines.filter(({ level }) => level === 'warn');
    t.notMatch(JSON.stringify(warnings), /logout_token|eyJ/, 'the token is not logged');
  });
});

t.test('the discovery document says so', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const document = await (await fetch(new URL('/.well-known/openid-configuration', gateway.issuer))).json();
    t.match(document, {
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      subject_types_supported: ['public', 'pairwise'],
      device_authorization_endpoint: `${gateway.issuer.origin}/device/authorize`,
    });
  });
});
