import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { basic, callback, openOidc, secret, secretHash, shop } from './harness.ts';

const request = {
  ...{ response_type: 'code', client_id: 'shop', redirect_uri: callback, scope: 'openid profile' },
  ...{
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    state: 's',
  },
};
const minute = 60_000;

const kept = (storage: Storage) => storage.db.selectFrom('oidc_artifacts').selectAll().execute();

/** As if so many had been pushed within this minute. */
const alreadyPushed = (storage: Storage, key: string, count: number) =>
  storage.counters.add(`pushed:${key}`, minute, new Date(), count);

t.test('a pushed request is kept as long as it is of use', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const leftMs = async () => ((await kept(storage))[0]?.expires_at?.getTime() ?? 0) - Date.now();
    const { body } = await gateway.post('/request', request);
    t.ok(
      (await leftMs()) <= 2 * minute,
      'a minute to be used in, and a little for who comes in its last second',
    );
    const url = new URL('/authorize', gateway.issuer);
    url.search = new URLSearchParams({ client_id: 'shop', request_uri: body.request_uri }).toString();
    await createBrowser().open(url, gateway.isCallback);
    t.ok((await leftMs()) > 30 * minute, 'as long as somebody logs in');
  });
});

t.test('413: larger than any request is', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const sized = (bytes: number) => ({ ...request, ui_locales: 'x'.repeat(bytes) });
    t.equal((await gateway.post('/request', sized(15_000))).status, 201);
    const answer = await gateway.post('/request', sized(17_000));
    t.match(answer, { status: 413, body: { error: 'invalid_request' } });

    const chunked = await fetch(new URL('/request', gateway.issuer), {
      method: 'POST',
      duplex: 'half',
      headers: {
        authorization: basic(shop.id, secret),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new Blob([new URLSearchParams(sized(40_000)).toString()]).stream(),
    } as RequestInit);
    t.equal(chunked.status, 413, 'also where the length is not told beforehand');
    t.match(await chunked.json(), { error: 'invalid_request' });
    t.equal((await kept(storage)).length, 1);
  });
});

t.test('429: more than an app may push within a minute', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const other = { ...shop, id: 'other', secretHashes: [secretHash('x'.repeat(40))] };
    gateway.apps.set('other', other);
    await alreadyPushed(storage, 'shop', 5_998);
    const wrong = { authorization: basic('shop', 'wrong') };
    for (let i = 0; i < 3; i += 1) t.equal((await gateway.post('/request', request, wrong)).status, 401);
    for (let i = 0; i < 2; i += 1) t.equal((await gateway.post('/request', request)).status, 201);
    const refused = await gateway.post('/request', request);
    t.match(refused, { status: 429, body: { error: 'temporarily_unavailable' } });
    t.equal(refused.headers.get('retry-after'), '60');
    t.equal((await kept(storage)).length, 2, 'what was refused is not kept');
    const theirs = await gateway.post(
      '/request',
      { ...request, client_id: 'other' },
      { authorization: basic('other', 'x'.repeat(40)) },
    );
    t.equal(theirs.status, 201, 'another app is not concerned');
  });
});

t.test('429: in the name of a public app, each address by itself', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('spa', {
      ...{ ...shop, id: 'spa', public: true, secretHashes: [], tokenEndpointAuthMethod: 'none' },
    });
    const push = async () => {
      const body = new URLSearchParams({ ...request, client_id: 'spa' });
      const answer = await fetch(new URL('/request', gateway.issuer), { method: 'POST', body });
      await answer.body?.cancel();
      return answer.status;
    };
    await alreadyPushed(storage, 'spa:192.0.2.1', 300);
    await alreadyPushed(storage, 'spa:127.0.0.1', 299);
    t.equal(await push(), 201);
    t.equal(await push(), 429);
  });
});

t.test('sixteen at once at the limit: exactly the allowed number', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    await alreadyPushed(storage, 'shop', 5_995);
    const answers = await Promise.all(Array.from({ length: 16 }, () => gateway.post('/request', request)));
    t.equal(answers.filter(({ status }) => status === 201).length, 5);
    t.equal(answers.filter(({ status }) => status === 429).length, 11);
    t.equal((await gateway.post('/request', request)).status, 429);
  });
});
