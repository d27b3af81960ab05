// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { createValidator } from '../../src/config/index.ts';
import type { Candidate } from '../../src/config/types.ts';
import type { Fault } from '../../src/lib/problem.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { dump, httpProvider, section } from './service-support.ts';

const now = new Date('2026-03-01T10:00:00Z');
const candidate = {} as Candidate;

const documented = {
  id: 'main',
  channel: 'sms',
  preset: 'http',
  http: {
    method: 'POST',
    url: 'https://sms.example/send',
    headers: { Authorization: 'Bearer ${env:TOKEN}', 'Content-Type': 'application/json' },
    payload: '{"to":$ctx.num,"text":$ctx.msg}',
    success: { status: [200, 201, 202] },
    timeout: '10s',
    allowPrivateNetwork: false,
  },
};

const checked = (storage: Storage, raw: object): Fault[] => {
  const document = raw as Record<string, unknown>;
  return section(storage).check?.({ raw: document, resolved: document }, candidate) ?? [];
};

t.test('documents are judged, all faults at once', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const validate = createValidator(section(storage).schema);
    const schemaFaults = (raw: object) => validate(structuredClone(raw), raw).faults;
    t.same(schemaFaults(documented), []);
    t.same(checked(storage, documented), []);
    const simulator = { id: 'simulator', channel: 'sms', preset: 'simulator' };
    t.same(schemaFaults(simulator), []);
    t.same(checked(storage, simulator), []);

    const misspelt = {
      ...documented,
      http: { ...documented.http, urll: 'x', timeout: 'soon' },
      chanel: 'sms',
    };
    t.same(
      schemaFaults(misspelt)
        .map(({ path }) => path)
        .sort(),
      ['chanel', 'http.timeout', 'http.urll'],
    );
    t.same(
      schemaFaults({ ...documented, preset: 'nope' }).map(({ path }) => path),
      ['preset'],
    );

    const wrong = {
      ...documented,
      simulator: {},
      tls: { cert: 'x' },
      http: {
        method: 'FETCH',
        url: 'gopher://sms.example/$ctx.nmu',
        headers: 'no header',
        payload: '{"to":$ctx.num',
        contentType: 'JSON',
        success: { body: { matches: '(?=x)' } },
        outcomes: [{ body: { pointer: '/a' }, outcome: 'rejected' }],
        messageId: { matches: '(' },
        timeout: '1h',
        proxy: 'socks://x',
      },
    };
    t.same(
      checked(storage, wrong)
        .map(({ path }) => path)
        .sort(),
      [
        'http.headers',
        'http.messageId.matches',
        'http.method',
        'http.outcomes[0].body',
        'http.payload',
        'http.payload',
        'http.proxy',
        'http.success.body.matches',
        'http.timeout',
        'http.url',
        'simulator',
        'tls',
        'tls.cert',
      ],
    );
    const twice = { basic: { username: 'a', password: 'b' }, bearer: { token: 'c' } };
    t.match(schemaFaults({ ...documented, http: { ...documented.http, auth: twice } }), [
      { path: 'http.auth', message: /^needs exactly one of basic, bearer, apiKey, / },
    ]);
    t.match(checked(storage, { id: 'a', channel: 'sms', preset: 'http' }), [
      { path: 'http', message: 'is missing' },
    ]);
  });
});

t.test('certificates that cannot be used are named when they are saved', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const pem = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
    const [cert, key] = [pem('localhost.cert.pem'), pem('localhost.key.pem')];
    const other = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey;
    const cases: [tls: object, said: string[]][] = [
      [{ ca: cert, cert, key }, []],
      [{ ca: `${cert}\n${cert}` }, []],
      [{ ca: 'nonsense' }, ['tls.ca']],
      [{ ca: key }, ['tls.ca']],
      [{ ca: cert.replace(/[A-Za-z]{20}/, 'A'.repeat(20)) }, ['tls.ca']],
      [{ cert: 'nonsense', key: 'nonsense' }, ['tls.cert', 'tls.key']],
      [{ cert, key: other }, ['tls.key']],
      [{ cert, key: '${stored}' }, []],
      [{ ca: '${env:NOT_SET}' }, []],
    ];
    for (const [tls, said] of cases) {
      const faults = checked(storage, { ...documented, tls });
      t.same(
        faults.map(({ path }) => path),
        said,
        JSON.stringify(tls).slice(0, 60),
      );
      t.notMatch(JSON.stringify(faults), 'nonsense');
    }
  });
});

const withSecrets = {
  ...httpProvider('main', 'https://user:url-password@sms.example/send?api_key=query-key-1&x=1', {
    headers: { 'X-Api-Key': 'header-key-1', 'X-Trace': 'open', 'X-Token': '${env:TOKEN}' },
    payload: '{"password":"body-password","to":$ctx.num,"k":"$secret.plain"}',
  }),
  secrets: { plain: 'plain-secret-1', referred: '${env:TOKEN}' },
};

t.test('secrets do not come out, and stay where they were meant for', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { list, same } = section(storage);
    const save = (raw: Record<string, unknown>, position = 0) =>
      storage.transaction((tx) => section(storage).save(tx, { raw, resolved: raw }, position, now));
    const shown = async () =>
      structuredClone((await list(storage.db)).get('main')) as unknown as typeof withSecrets;
    const isSame = (raw: object, position = 0) =>
      same(storage.db, { raw: raw as Record<string, unknown>, resolved: {} }, position);

    t.notOk(await isSame(withSecrets));
    await save(withSecrets);
    t.ok(await isSame(withSecrets));
    t.notOk(await isSame(withSecrets, 1), 'another place in the order');
    t.notOk((await dump(storage.db)).includes('sms.example'), 'sealed as a whole');

    const out = await shown();
    t.same(out, {
      ...withSecrets,
      secrets: { plain: '${stored}', referred: '${env:TOKEN}' },
      http: {
        ...withSecrets.http,
        url: 'https://${stored}@sms.example/send?api_key=${stored}&x=1',
        headers: { 'X-Api-Key': '${stored}', 'X-Trace': 'open', 'X-Token': '${env:TOKEN}' },
        payload: '{"password":"${stored}","to":$ctx.num,"k":"$secret.plain"}',
      },
    });
    t.ok(await isSame(out), 'what came out says the same');
    t.same(checked(storage, out), [], 'and can be checked');

    out.http.headers['X-Trace'] = 'changed';
    t.notOk(await isSame(out));
    await save(out);
    const kept = { ...withSecrets.http.headers, 'X-Trace': 'changed' };
    t.ok(await isSame({ ...withSecrets, http: { ...withSecrets.http, headers: kept } }), 'secrets are kept');

    const refusals: [change: (document: typeof withSecrets) => void, paths: string[]][] = [
      [
        (document) => {
          document.http.url = 'https://evil.example/send';
        },
        ['http.headers.X-Api-Key', 'http.payload', 'secrets.plain'],
      ],
      [
        (document) => {
          document.http.url = 'http://sms.example/send';
        },
        ['http.headers.X-Api-Key', 'http.payload', 'secrets.plain'],
      ],
      [
        (document) => {
          document.http.url = 'https://${stored}@sms.example:8443/send';
        },
        ['http.headers.X-Api-Key', 'http.payload', 'http.url', 'secrets.plain'],
      ],
      [
        (document) => {
          Object.assign(document.http, { proxy: 'http://proxy.example:3128' });
        },
        ['http.headers.X-Api-Key', 'http.payload', 'http.url', 'secrets.plain'],
      ],
      [
        (document) => {
          Object.assign(document.secrets, { other: '${stored}' });
        },
        ['secrets.other'],
      ],
    ];
    for (const [change, paths] of refusals) {
      const document = await shown();
      change(document);
      const error = await save(document).then(
        () => undefined,
        (reason) => reason,
      );
      t.match(error, { name: 'Problem', status: 400, code: 'provider_refused' });
      t.same(error.errors.map(({ path }: Fault) => path).sort(), paths);
    }
    const moved = await shown();
    Object.assign(moved, { secrets: { plain: 'new-secret' } });
    moved.http.url = 'https://evil.example/send';
    moved.http.headers['X-Api-Key'] = 'new-key';
    moved.http.payload = '{"to":$ctx.num}';
    await save(moved);
    t.ok(await isSame(moved), 'given again, they may go elsewhere');

    const unset = await save({ ...documented, from: '${env:UNSET}' }).then(
      () => undefined,
      (reason) => reason,
    );
    t.match(unset, { code: 'provider_refused' }, 'a reference that is not set here');
    const fresh = { ...documented, id: 'new', secrets: { a: '${stored}' } };
    const nothing = await save(fresh).then(
      () => undefined,
      (reason) => reason,
    );
    t.match(nothing.errors, [{ path: 'secrets.a', message: /nothing is stored/ }]);
  });
});

t.test('headers of one string', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const raw = httpProvider('main', 'https://sms.example/', {
      headers: 'X-Version: 1, Authorization: bearer abc',
    });
    await storage.transaction((tx) => section(storage).save(tx, { raw, resolved: raw }, 0, now));
    const out = (await section(storage).list(storage.db)).get('main') as typeof raw;
    t.match(out, { http: { headers: { 'X-Version': '1', Authorization: '${stored}' } } });
    t.ok(await section(storage).same(storage.db, { raw: out, resolved: out }, 0));
    t.same(checked(storage, out), []);
  });
});

t.test('a change reaches running instances, and a removal', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const before = storage.revisions.current('providers');
    await storage.transaction((tx) =>
      section(storage).save(tx, { raw: documented, resolved: documented }, 0, now),
    );
    await storage.revisions.refresh();
    t.not(storage.revisions.current('providers'), before);
    await storage.transaction((tx) => section(storage).remove(tx, 'main'));
    t.equal((await section(storage).list(storage.db)).size, 0);
  });
});
