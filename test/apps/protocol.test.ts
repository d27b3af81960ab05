import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { createApps } from '../../src/apps/index.ts';
import type { AppRow } from '../../src/apps/store.ts';
import { Problem } from '../../src/lib/problem.ts';
import { json } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';

const now = new Date('2026-03-01T12:00:00Z');
const issuer = new URL('https://login.example.com');
const api = { audience: 'https://orders.example/', name: 'Orders', scopes: ['orders:read'] };
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = publicKey.export({ format: 'jwk' });
const jwks = { keys: [jwk] };
const base = { id: 'shop', name: 'Shop', redirectUris: ['https://shop.example/callback'], flow: 'main' };
const secret = 'a-long-random-secret-0123456789';

const appsOn = (storage: Storage) => createApps({ revisions: storage.revisions, issuer, demo: false });

async function faultsOf(storage: Storage, document: object): Promise<string[]> {
  try {
    await storage.transaction((tx) => appsOn(storage).save(tx, document, now));
    return [];
  } catch (error) {
    if (error instanceof Problem) return error.errors.map(({ path }) => path);
    throw error;
  }
}

t.test('keys, grants and APIs: what is in order, and what is named as wrong', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const cases: [what: string, change: object, paths: string[]][] = [
      ['keys in the document', { jwks }, []],
      ['keys at a URL', { jwksUri: 'https://shop.example/keys' }, []],
      ['a secret, and keys for signed requests', { secret, jwks }, []],
      ['both', { jwks, jwksUri: 'https://shop.example/keys' }, ['jwksUri']],
      ['a private key', { jwks: { keys: [privateKey.export({ format: 'jwk' })] } }, ['jwks.keys[0]']],
      ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }, ['jwks.keys[0]']],
      ['no key', { jwks: { keys: [{ kty: 'EC' }] } }, ['jwks.keys[0]']],
      ['a weak key', { jwks: { keys: [small] } }, ['jwks.keys[0]']],
      ['http', { jwksUri: 'http://shop.example/keys' }, ['jwksUri']],
      ['no keys', { tokenEndpointAuthMethod: 'private_key_jwt' }, ['tokenEndpointAuthMethod']],
      [
        'a secret beside them',
        { secret, jwks, tokenEndpointAuthMethod: 'private_key_jwt' },
        ['tokenEndpointAuthMethod'],
      ],
      ['an API', { resources: [api] }, []],
      ['no URI', { resources: [{ ...api, audience: 'orders' }] }, ['resources[0].audience']],
      ['a fragment', { resources: [{ ...api, audience: 'https://a/#b' }] }, ['resources[0].audience']],
      ['twice', { resources: [api, api] }, ['resources[1].audience']],
      ['a scope of ours', { resources: [{ ...api, scopes: ['email'] }] }, ['resources[0].scopes']],
      ['opaque for nobody', { resources: [{ ...api, tokenFormat: 'opaque' }] }, ['resources[0].client']],
      ['jwt with a reader', { resources: [{ ...api, client: 'api' }] }, ['resources[0].client']],
      [
        'a public app without users',
        { grantTypes: ['client_credentials'], resources: [api] },
        ['grantTypes'],
      ],
      ['tokens for nothing', { secret, grantTypes: ['client_credentials'] }, ['resources']],
      ['users without an address', { redirectUris: [] }, ['redirectUris']],
      ['users without a flow', { flow: undefined }, ['flow']],
    ];
    for (const [what, change, paths] of cases) {
      const document = JSON.parse(JSON.stringify({ ...base, ...change }));
      t.strictSame(await faultsOf(storage, document), paths, what);
    }
    const worker = { id: 'worker', name: 'Worker', grantTypes: ['client_credentials'], resources: [api] };
    t.strictSame(await faultsOf(storage, { ...worker, jwks }), []);
    t.match(await appsOn(storage).find(storage.db, 'worker'), {
      public: false,
      tokenEndpointAuthMethod: 'private_key_jwt',
      resources: [{ tokenFormat: 'jwt', client: null }],
    });
  }),
);

t.test('an app saved before these members were known', (t) =>
  forEachDatabase(t, async (t, storage) => {
    await faultsOf(storage, base);
    const { document } = await storage.db
      .selectFrom('apps')
      .select('document')
      .where('id', '=', 'shop')
      .executeTakeFirstOrThrow();
    const { resources, responseModes, jwks: _, jwksUri: __, ...older } = document.inForce;
    const stored = json({ ...document, inForce: older } as AppRow['document']);
    await storage.db.updateTable('apps').set({ document: stored }).execute();
    t.match(await appsOn(storage).find(storage.db, 'shop'), { resources, responseModes, jwks: null });
  }),
);
