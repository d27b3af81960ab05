import t from 'tap';
import { appSchema, laterMembers } from '../../src/apps/document.ts';
import { appsSection, createApps, hashSecret } from '../../src/apps/index.ts';
import { createValidator } from '../../src/config/index.ts';
import type { Candidate, Loaded } from '../../src/config/types.ts';
import { Problem } from '../../src/lib/problem.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const now = new Date('2026-03-01T12:00:00Z');
const issuer = new URL('https://login.example.com');
const secret = 'a-long-random-secret-0123456789';
const shop = {
  id: 'shop',
  name: 'Shop',
  secret,
  redirectUris: ['https://shop.example/callback'],
  flow: 'password-sms',
};

const appsOn = (storage: Storage, demo = false) => createApps({ revisions: storage.revisions, issuer, demo });
const save = (storage: Storage, document: object) =>
  storage.transaction((tx) => appsOn(storage).save(tx, document, now));

t.test('an app with its defaults; the secret only as a hash', (t) =>
  forEachDatabase(t, async (t, storage) => {
    await save(storage, shop);
    t.strictSame(await appsOn(storage).find(storage.db, 'shop'), {
      id: 'shop',
      name: 'Shop',
      public: false,
      secretHashes: [hashSecret(secret)],
      tokenEndpointAuthMethod: 'client_secret_basic',
      redirectUris: ['https://shop.example/callback'],
      postLogoutRedirectUris: [],
      firstParty: false,
      pkce: 'required',
      grantTypes: ['authorization_code', 'refresh_token'],
      scopes: ['openid', 'profile', 'email', 'phone', 'offline_access'],
      idTokenSignedResponseAlg: 'ES256',
      flow: 'password-sms',
      loginUrl: null,
      home: null,
      logoUrl: null,
      helpContact: null,
      privacyUrl: null,
      termsUrl: null,
      enabled: true,
      ...laterMembers,
    });
    const { secret: _, ...publicShop } = shop;
    await save(storage, { ...publicShop, id: 'spa' });
    t.match(await appsOn(storage).find(storage.db, 'spa'), {
      public: true,
      tokenEndpointAuthMethod: 'none',
      secretHashes: [],
    });
    t.equal(await appsOn(storage).find(storage.db, 'none'), undefined);
    t.strictSame((await appsOn(storage).list(storage.db)).map(({ id }) => id).sort(), ['shop', 'spa']);
    t.notMatch(JSON.stringify(await storage.db.selectFrom('apps').selectAll().execute()), secret);
  }),
);

t.test('what is wrong is named all at once', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const faults = async (document: object) => {
      try {
        await save(storage, document);
      } catch (error) {
        if (error instanceof Problem) return error.errors.map(({ path }) => path);
        throw error;
      }
      return [];
    };
    const { secret: _, ...publicShop } = shop;
    const cases: [change: object, paths: string[]][] = [
      [
        { redirectUris: ['nowhere', 'https://a.example/', 'https://*.a'] },
        ['redirectUris[0]', 'redirectUris[2]'],
      ],
      [{ redirectUris: [] }, ['redirectUris']],
      [{ postLogoutRedirectUris: ['http://a.example/'] }, ['postLogoutRedirectUris[0]']],
      [{ secret: 'short' }, ['secret']],
      [{ secret: 'demo-only-secret-do-not-use-anywhere-else' }, ['secret']],
      [{ tokenEndpointAuthMethod: 'none' }, ['tokenEndpointAuthMethod']],
      [{ scopes: ['profile'] }, ['scopes']],
      [{ home: 'javascript:alert(1)', loginUrl: 'https://a.example/' }, ['home', 'loginUrl']],
      [{ id: 'no spaces', redirectUri: 'x' }, ['redirectUri', 'id']],
    ];
    for (const [change, paths] of cases)
      t.strictSame(await faults({ ...shop, ...change }), paths, paths.join());
    t.strictSame(
      await faults({
        ...publicShop,
        pkce: 'optional',
        previousSecret: secret,
        tokenEndpointAuthMethod: 'client_secret_post',
      }),
      ['tokenEndpointAuthMethod', 'previousSecret', 'pkce'],
    );
  }),
);

t.test('a secret is replaced with both alive', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const newer = 'another-long-random-secret-9876';
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is written like this
    const stored = '${stored}';
    const hashes = async () => (await appsOn(storage).find(storage.db, 'shop'))?.secretHashes;
    await t.rejects(save(storage, { ...shop, secret: stored }), { code: 'invalid_app' });
    await save(storage, shop);
    await save(storage, { ...shop, secret: newer, previousSecret: secret });
    t.strictSame(await hashes(), [hashSecret(newer), hashSecret(secret)]);
    await save(storage, { ...shop, name: 'Renamed', secret: stored, previousSecret: stored });
    t.strictSame(await hashes(), [hashSecret(newer), hashSecret(secret)], 'kept');
    await save(storage, { ...shop, secret: stored });
    t.strictSame(await hashes(), [hashSecret(newer)]);
  }),
);

t.test('the cache costs no query and follows the revision, also across instances', (t) =>
  postgresOnly(t, async (t, storage, database) => {
    const other = await database.another();
    const here = appsOn(storage);
    const there = appsOn(other);
    await storage.transaction((tx) => here.save(tx, shop, now));
    await other.revisions.refresh();
    t.equal((await there.find(other.db, 'shop'))?.name, 'Shop');
    const refusing = new Proxy(other.db, {
      get() {
        throw new Error('no query');
      },
    });
    t.equal((await there.find(refusing, 'shop'))?.name, 'Shop');
    await storage.transaction((tx) => here.save(tx, { ...shop, name: 'Renamed' }, now));
    t.equal((await here.find(storage.db, 'shop'))?.name, 'Renamed', 'at once where it was saved');
    await other.revisions.refresh();
    t.equal((await there.find(other.db, 'shop'))?.name, 'Renamed');
    await storage.transaction((tx) => here.remove(tx, 'shop'));
    await other.revisions.refresh();
    t.equal(await there.find(other.db, 'shop'), undefined);
  }),
);

t.test('the secret of the demo counts only in the demo', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const document = { ...shop, secret: 'demo-only-secret-do-not-use-anywhere-else' };
    const demo = appsOn(storage, true);
    await storage.transaction((tx) => demo.save(tx, document, now));
    t.equal((await demo.find(storage.db, 'shop'))?.secretHashes.length, 1);
    t.strictSame((await appsOn(storage).find(storage.db, 'shop'))?.secretHashes, []);
  }),
);

t.test('apps.yaml', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const section = appsSection({ issuer, demo: false });
    const flows = new Map([['password-sms', {} as Loaded]]);
    const candidate = (known: Map<string, Loaded>): Candidate => ({
      collection: () => known,
      setting: () => undefined,
    });
    const item = (secretValue: string, raw: object = {}) => {
      const resolved = { ...shop, secret: secretValue };
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
      return { raw: { ...shop, secret: '${env:SECRET}', ...raw }, resolved: withDefaults(resolved) };
    };
    t.strictSame(section.check?.(item(secret), candidate(flows)), []);
    t.match(section.check?.(item(secret), candidate(new Map())), [{ path: 'flow', message: /password-sms/ }]);
    const asked = item(secret);
    const api = { audience: 'https://a/', name: 'A', scopes: ['a'], tokenFormat: 'opaque', client: 'nobody' };
    asked.resolved.resources = [api];
    t.match(section.check?.(asked, candidate(flows)), [{ path: 'resources[0].client', message: /nobody/ }]);

    t.equal(await section.same(storage.db, item(secret), 0), false);
    await storage.transaction((tx) => section.save(tx, item(secret), 0, now));
    t.equal(await section.same(storage.db, item(secret), 0), true);
    t.equal(
      await section.same(storage.db, item(`${secret}x`), 0),
      false,
      'another value behind the reference',
    );
    t.equal(await section.same(storage.db, item(secret, { secret }), 0), false, 'no reference any more');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
    t.strictSame((await section.list(storage.db)).get('shop'), { ...shop, secret: '${env:SECRET}' });
    await storage.transaction((tx) => section.save(tx, item(secret, { secret }), 0, now));
    t.notMatch(JSON.stringify([...(await section.list(storage.db))]), secret);
  }),
);

const validate = createValidator(appSchema);
const withDefaults = (document: object) => validate(document).value as Record<string, unknown>;
