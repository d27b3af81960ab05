import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import t from 'tap';
import type { Apps } from '../../src/apps/types.ts';
import { createAudit } from '../../src/audit/index.ts';
import { createBrowser } from '../../src/demo/index.ts';
import { after, systemClock } from '../../src/lib/clock.ts';
import { createLogoutNotices } from '../../src/oidc/index.ts';
import { claimNotices } from '../../src/oidc/logout/store.ts';
import { createSessions } from '../../src/sessions/index.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { alice, type Harness, lookEveryMs, openOidc, sessionsOf, shop } from './harness.ts';

const logoutUri = 'https://shop.example/logout';
const told = { ...shop, backchannelLogoutUri: logoutUri };

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await done()); tries++) {
    if (tries > 200) throw new Error('did not happen in time');
    await sleep(50);
  }
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
    const gateway = await openOidc(t, storage);
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
    await sleep(3 * lookEveryMs);
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
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', told);
    const { browser, tokens } = await gateway.signIn();
    const end = new URL('/session/end', gateway.issuer);
    end.searchParams.set('id_token_hint', tokens.id_token ?? '');
    const page = await browser.open(end, gateway.isCallback);
    await browser.submit(page, {}, gateway.isCallback);
    await sleep(5 * lookEveryMs);
    t.equal(gateway.notices.length, 0);
    const again = await gateway.signIn({}, { browser });
    t.notOk(again.asked);

    await browser.submit(await browser.open(end, gateway.isCallback), { logout: 'yes' }, gateway.isCallback);
    t.equal((await noticesOf(gateway, 1)).length, 1);
    await sleep(3 * lookEveryMs);
    t.equal(gateway.notices.length, 1);
    t.equal((await read(gateway, gateway.notices[0]?.form)).payload.sid, tokens.claims()?.sid);
  });
});

t.test('an app that does not answer is told again', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
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

t.test('sessions that end while no gateway runs', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', told);
    await gateway.signIn();
    await gateway.app.close();

    // What a command has that opens the database, does its work and ends.
    const apps = { find: async (_db: unknown, id: string) => gateway.apps.get(id) } as Apps;
    const sessions = createSessions({
      settings: { get: <T>() => ({ idle: '8h', absolute: '30d' }) as T },
      random: randomBytes,
      audit: createAudit(),
      ended: createLogoutNotices({ apps, clock: systemClock }),
    });
    const now = systemClock.now();
    await t.rejects(
      storage.transaction(async (tx) => {
        await sessions.revokeAll(tx, alice.id, 'test', now);
        throw new Error('no');
      }),
      { message: 'no' },
    );
    t.equal((await storage.db.selectFrom('logout_notices').select('id').execute()).length, 0);
    t.equal(await storage.transaction((tx) => sessions.revokeAll(tx, alice.id, 'test', now)), 1);
    t.equal((await storage.db.selectFrom('logout_notices').select('id').execute()).length, 1);

    const later = await openOidc(t, storage);
    later.apps.set('shop', told);
    t.equal((await noticesOf(later, 1)).length, 1, 'the next one tells the app');
    await until(
      async () => (await storage.db.selectFrom('logout_notices').select('id').execute()).length === 0,
    );
  });
});

t.test('an app that never takes it is left alone in the end', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const notice = { id: 'lgn_1', app_id: 'shop', user_id: alice.id, sid: 'ses_1', next_at: new Date(0) };
    await storage.db
      .insertInto('logout_notices')
      .values({ ...notice, tries: 5 })
      .execute();
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', told);
    gateway.answers.push(500);
    t.equal((await noticesOf(gateway, 1)).length, 1);
    await until(
      async () => (await storage.db.selectFrom('logout_notices').select('id').execute()).length === 0,
    );
    t.ok(gateway.log.lines.some(({ message }) => message === 'an app was not told of a logout'));
  });
});

t.test('sixteen instances tell each app once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const now = systemClock.now();
    const notices = Array.from({ length: 100 }, (_, n) => ({
      ...{ id: `lgn_${n}`, app_id: 'shop', user_id: alice.id, sid: `ses_${n}`, tries: 0, next_at: now },
    }));
    await storage.db.insertInto('logout_notices').values(notices).execute();
    const taken = await Promise.all(
      Array.from({ length: 16 }, () => claimNotices(storage.db, 20, now, after(now, 60_000))),
    );
    const ids = taken.flat().map(({ id }) => id);
    t.equal(new Set(ids).size, ids.length, 'none twice');
    const rest = await claimNotices(storage.db, 100, now, after(now, 60_000));
    t.equal(ids.length + rest.length, 100, 'and all of them');
    t.equal(
      (await claimNotices(storage.db, 100, after(now, 60_001), now)).length,
      100,
      'again after a death',
    );
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
