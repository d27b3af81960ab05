import * as client from 'openid-client';
import t from 'tap';
import type { App } from '../../src/apps/types.ts';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, bob, type Harness, openOidc, secretHash, shop } from './harness.ts';

const subjectOf = async (gateway: Harness, extra: Record<string, string> = {}, user = alice.id) =>
  (await gateway.signIn(extra, { login: { user, methods: 'pwd' } })).tokens.claims()?.sub ?? '';

t.test(
  'pairwise: an identifier per host, the same for all apps there, at each sign-in and everywhere',
  async (t) => {
    await forEachDatabase(t, async (t, storage) => {
      const gateway = await openOidc(t, storage);
      gateway.apps.set('shop', { ...shop, subjectType: 'pairwise' });
      const { tokens, configuration, browser } = await gateway.signIn();
      const sub = tokens.claims()?.sub ?? '';
      t.match(sub, /^[\w-]{43}$/);
      t.not(sub, alice.id);
      t.equal(tokens.claims()?.sid, undefined, 'no sid without a use for it');
      t.equal((await client.fetchUserInfo(configuration, tokens.access_token, sub)).sub, sub);
      t.equal((await gateway.post('/introspect', { token: tokens.access_token })).body.sub, sub);
      t.equal(await subjectOf(gateway), sub, 'again');
      t.not(await subjectOf(gateway, {}, bob.id), sub, 'another person');

      const hinted = await gateway.begin(configuration, {
        id_token_hint: tokens.id_token ?? '',
        prompt: 'login',
      });
      const same = await gateway.authorize(browser, hinted);
      t.ok(same.url.searchParams.get('code'), 'known by the identifier that the app was given');
      const other = await gateway.authorize(createBrowser(), hinted, { user: bob.id, methods: 'pwd' });
      t.equal(other.url.searchParams.get('error'), 'login_required');

      const second = await openOidc(t, storage);
      second.apps.set('shop', {
        ...shop,
        subjectType: 'pairwise',
        redirectUris: [...shop.redirectUris, 'http://localhost:4501/other'],
      });
      t.equal(await subjectOf(gateway), sub);
      gateway.apps.set('shop', {
        ...shop,
        subjectType: 'pairwise',
        redirectUris: ['https://elsewhere.example/', ...shop.redirectUris],
      });
      t.not(await subjectOf(gateway), sub, 'another host');
    });
  },
);

t.test('the salt is made once, however many ask at the same moment', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, subjectType: 'pairwise' });
    const subjects = await Promise.all(Array.from({ length: 8 }, () => subjectOf(gateway)));
    t.equal(new Set(subjects).size, 1);
    const salts = await storage.db
      .selectFrom('oidc_artifacts')
      .selectAll()
      .where('model', '=', 'Salt')
      .execute();
    t.equal(salts.length, 1);
    t.match(salts[0]?.payload.sealed, /^k1\./, 'sealed');
  });
});

t.test('subjectClaim: what the app knows its users by, if that is proven', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const cases: [App['subjectClaim'], string | undefined][] = [
      ['preferred_username', 'alice'],
      ['email', 'alice@example.test'],
      ['phone_number', undefined],
    ];
    for (const [subjectClaim, expected] of cases) {
      gateway.apps.set('shop', { ...shop, subjectClaim });
      const attempt = await gateway.begin(await gateway.configure());
      const { url } = await gateway.authorize(createBrowser(), attempt);
      if (expected === undefined) {
        t.equal(url.searchParams.get('error'), 'access_denied');
        t.match(url.searchParams.get('error_description'), /no verified phone_number/);
        continue;
      }
      const tokens = await gateway.exchange(await gateway.configure(), attempt, url);
      t.equal(tokens.claims()?.sub, expected);
    }
    gateway.users.set(alice.id, { ...alice, phoneVerified: true });
    t.equal(await subjectOf(gateway), '+447700900123');
  });
});

t.test('claims of an app: its own names, with the scope that their source needs', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.users.set(alice.id, { ...alice, attributes: { unit: 'north', level: 3 } });
    gateway.apps.set('shop', {
      ...shop,
      claims: {
        'https://shop.example/unit': 'attributes.unit',
        level: 'attributes.level',
        absent: 'attributes.constructor',
        roles: 'groups',
        employee: 'id',
        preferred_username: 'email',
      },
    });
    const narrow = await gateway.signIn({ scope: 'openid' });
    t.match(narrow.tokens.claims(), { employee: alice.id });
    t.notMatch(narrow.tokens.claims(), { roles: Array });
    t.equal(narrow.tokens.claims()?.level, undefined);

    const { tokens, configuration } = await gateway.signIn({ scope: 'openid profile email groups' });
    const expected = {
      employee: alice.id,
      level: 3,
      'https://shop.example/unit': 'north',
      roles: ['staff'],
      preferred_username: 'alice@example.test',
    };
    t.match(tokens.claims(), expected, 'in the ID token');
    const info = await client.fetchUserInfo(configuration, tokens.access_token, alice.id);
    t.match(info, expected, 'in userinfo');
    t.notOk('absent' in info);
    t.match(info, { groups: ['staff'], name: 'Alice Example' }, 'beside those that everyone gets');
  });
});

t.test('addresses: exact, but for the port of an installed app; other origins get no answer', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('tool', {
      ...shop,
      id: 'tool',
      public: true,
      secretHashes: [],
      tokenEndpointAuthMethod: 'none',
      redirectUris: ['http://127.0.0.1/callback', 'com.example.tool:/done'],
    });
    gateway.apps.set('web', {
      ...shop,
      id: 'web',
      secretHashes: [secretHash('x'.repeat(32))],
      redirectUris: ['http://127.0.0.1/callback'],
    });
    const tool = await gateway.configure('tool', client.None());
    const cases: [string, string, boolean][] = [
      ['tool', 'http://127.0.0.1/callback', true],
      ['tool', 'http://127.0.0.1:49152/callback', true],
      ['tool', 'com.example.tool:/done', true],
      ['tool', 'http://127.0.0.1:49152/callback2', false],
      ['tool', 'http://127.0.0.1:49152/callback?x=1', false],
      ['tool', 'http://127.0.0.1:/callback', false],
      ['tool', 'http://localhost:49152/callback', false],
      ['tool', 'https://127.0.0.1:49152/callback', false],
      ['tool', 'http://user@127.0.0.1:49152/callback', false],
      ['web', 'http://127.0.0.1:49152/callback', false],
      ['web', 'http://127.0.0.1/callback', true],
    ];
    for (const [app, redirect, allowed] of cases) {
      const { url } = await gateway.begin(tool, { client_id: app, redirect_uri: redirect });
      const answer = await fetch(url, { redirect: 'manual' });
      t.equal(answer.status, allowed ? 303 : 400, `${app} ${redirect}`);
    }

    const origins: [string, string, boolean][] = [
      ['web', 'http://127.0.0.1', true],
      ['web', 'http://127.0.0.1:8080', false],
      ['web', 'https://evil.example', false],
      ['tool', 'null', false],
    ];
    for (const [app, origin, allowed] of origins) {
      const answer = await fetch(new URL('/token', gateway.issuer), {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: 'x',
          client_id: app,
          ...(app === 'web' && { client_secret: 'x'.repeat(32) }),
        }),
      });
      const told = answer.headers.get('access-control-allow-origin');
      t.equal(told, allowed ? origin : null, `${app} ${origin}`);
    }
  });
});
