// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { createProviderDesk, type ProviderDesk } from '../../src/delivery/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { silent } from '../helpers/log.ts';
import { startGateway } from './hostile-gateway.ts';
import { crypto, dump, httpProvider, issuer, saveProviders, section } from './service-support.ts';
import { references } from './support.ts';

const now = new Date('2026-03-01T10:00:00Z');

const deskOf = (storage: Storage): ProviderDesk =>
  createProviderDesk({
    ...{ storage, crypto, references, issuer, log: silent, audit: createAudit() },
    clock: { now: () => now },
  });

const refusal = (work: Promise<unknown>): Promise<{ errors: { path: string; message: string }[] }> =>
  work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  );

const gatewayProvider = {
  id: 'main',
  channel: 'sms',
  preset: 'http',
  from: 'SALLY',
  secrets: { key: 'the-gateway-key', client: 'the-client-secret' },
  http: {
    url: 'https://sms.example/send?x=1',
    headers: { 'X-Api-Key': '$secret.key', 'X-Key-Twice': 'base64{me:$secret.key}' },
    payload: '{"to":$ctx.num,"text":$ctx.msg,"key":"$secret.key"}',
    auth: {
      oauth2: { tokenUrl: 'https://login.example/token', clientId: 'me', clientSecret: '$secret.client' },
    },
  },
};

type Http = typeof gatewayProvider.http & { proxy?: string };
const changed = (change: Partial<Http>, secrets: object = { key: '${stored}', client: '${stored}' }) => ({
  ...gatewayProvider,
  secrets,
  http: { ...gatewayProvider.http, ...change },
});
const elsewhere = { oauth2: { ...gatewayProvider.http.auth.oauth2, tokenUrl: 'https://evil.example/token' } };

t.test('a changed host voids the secrets, whichever way the document comes in', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const desk = deskOf(storage);
    t.match(await desk.save([gatewayProvider]), [{ id: 'main', action: 'create' }]);
    const moves: [name: string, document: Record<string, unknown>][] = [
      ['host', changed({ url: 'https://evil.example/send' })],
      ['scheme', changed({ url: 'http://sms.example/send' })],
      ['port', changed({ url: 'https://sms.example:8443/send' })],
      ['proxy', changed({ proxy: 'http://proxy.example:3128' })],
      ['token endpoint', changed({ auth: elsewhere })],
    ];
    const files = (raw: Record<string, unknown>) =>
      storage.transaction((tx) => section(storage).save(tx, { raw, resolved: raw }, 0, now));
    for (const [name, document] of moves) {
      const ways = {
        file: refusal(files(document)),
        'import or console': refusal(desk.save([document])),
        'dry run': refusal(desk.dryRun({ id: 'main', document, to: '+447700900123' })),
        'test send': refusal(desk.test({ id: 'main', document, to: '+447700900123' })),
      };
      for (const [way, refused] of Object.entries(ways)) {
        t.same(
          (await refused).errors.map(({ path }) => path).sort(),
          ['secrets.client', 'secrets.key'],
          `${name}, by ${way}`,
        );
      }
      const [judged] = await desk.judge([document]);
      t.equal(judged?.findings.filter(({ level }) => level === 'error').length, 2, name);
    }
    const again = { key: 'another-key', client: 'another-secret' };
    t.match(await desk.save([changed({ url: 'https://other.example/send' }, again)]), [{ action: 'update' }]);
    t.notOk((await dump(storage.db)).includes('another-key'), 'sealed');
  });
});

t.test('a secret written out in auth is kept, and void elsewhere', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const desk = deskOf(storage);
    const written = { ...gatewayProvider.http.auth.oauth2, clientSecret: 'written-out-here' };
    await desk.save([changed({ auth: { oauth2: written } }, { key: 'k-1', client: 'c-1' })]);
    const [kept] = await desk.judge([{ ...changed({}), http: { ...gatewayProvider.http, auth: elsewhere } }]);
    t.notMatch(JSON.stringify(kept), 'written-out-here');
    const [shown] = await desk.judge([
      changed({ auth: { oauth2: { ...written, clientSecret: '${stored}' } } }),
    ]);
    t.same(
      shown?.findings.filter(({ level }) => level === 'error'),
      [],
    );
    const moved = { ...elsewhere.oauth2, clientSecret: '${stored}' };
    const { errors } = await refusal(desk.save([changed({ auth: { oauth2: moved } })]));
    t.same(errors.map(({ path }) => path).sort(), [
      'http.auth.oauth2.clientSecret',
      'secrets.client',
      'secrets.key',
    ]);
  });
});

t.test('references come in files only', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const desk = deskOf(storage);
    const written = { ...gatewayProvider, secrets: { key: '${env:TOKEN}', client: 'x-literal' } };
    const { errors } = await refusal(desk.save([written]));
    t.match(errors, [{ path: 'secrets.key', message: /operator’s own files only/ }]);
    for (const url of ['https://${env:TOKEN}.evil.example/', 'https://sms.example/${file:/etc/passwd}']) {
      const refused = await refusal(
        desk.dryRun({ id: 'main', document: changed({ url }), to: '+447700900123' }),
      );
      t.match(refused.errors, [{ path: 'http.url' }]);
      t.equal(refused.errors.length, 1, 'nothing that a reference stands for is looked at');
    }
    await saveProviders(storage, [written]);
    t.match(
      await desk.save([{ ...written, from: 'NEW' }]),
      [{ action: 'update' }],
      'it may stay where it is',
    );
    const moved = { ...written, http: { ...written.http, url: 'https://evil.example/' } };
    t.match((await refusal(desk.save([moved]))).errors, [{ path: 'secrets.key', message: /given again/ }]);
    const elsewhere = { ...written, secrets: { key: 'x-other', client: '${env:TOKEN}' } };
    t.match((await refusal(desk.save([elsewhere]))).errors, [{ path: 'secrets.client' }]);
  });
});

t.test('all or none is saved, and a newcomer comes last', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const desk = deskOf(storage);
    await saveProviders(storage, [
      httpProvider('zulu', 'https://z.example/'),
      httpProvider('main', 'https://m.example/'),
    ]);
    const broken = { ...gatewayProvider, id: 'broken', http: { url: 'https://x.example/<KEY>' } };
    await refusal(desk.save([{ ...gatewayProvider, id: 'alpha' }, broken]));
    t.same(
      (await desk.list()).map(({ id }) => id),
      ['zulu', 'main'],
    );
    await desk.save([{ ...gatewayProvider, id: 'alpha', enabled: false }]);
    await desk.save([{ ...httpProvider('zulu', 'https://zz.example/') }]);
    t.match(await desk.list(), [
      { id: 'zulu', origin: 'https://zz.example', enabled: true, fault: null },
      { id: 'main', channel: 'sms', preset: 'http' },
      { id: 'alpha', from: 'SALLY', enabled: false, origin: 'https://sms.example' },
    ]);
    t.notMatch(JSON.stringify(await desk.list()), /the-gateway-key/);
    t.match((await refusal(desk.save([{ id: 'x', channel: 'sms', preset: 'http', htpp: {} }]))).errors, [
      { path: 'htpp' },
    ]);
  });
});

t.test('a dry run shows the request and sends nothing', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const desk = deskOf(storage);
    await desk.save([gatewayProvider, { id: 'page', channel: 'sms', preset: 'simulator' }]);
    const run = await desk.dryRun({ id: 'main', to: '+447700900123', text: 'Hello' });
    t.strictSame(run, {
      method: 'POST',
      url: 'https://sms.example/send?x=1',
      headers: [
        ['X-Api-Key', '•••'],
        ['X-Key-Twice', '•••'],
        ['Content-Type', 'application/json'],
        ['Authorization', 'Bearer •••'],
      ],
      body: '{"to":"+447700900123","text":"Hello","key":"•••"}',
    });
    const draft = changed({ payload: '{"to":$num.digits}' });
    t.match(await desk.dryRun({ id: 'main', document: draft, to: '+447700900123' }), {
      body: '{"to":"447700900123"}',
    });
    for (const template of [
      'base64{$ctx.num$secret.key}',
      'abbase64{x$ctx.num$secret.key}',
      'base64{base64{$ctx.num $secret.key}}',
      'urlencode{$ctx.num/$secret.key}',
      '$secret.key',
    ]) {
      const document = changed({ payload: template });
      const { body } = await desk.dryRun({ id: 'main', document, to: '+447700900123' });
      t.match(body, '•••', template);
      t.notMatch(body, /the-gateway-key|Z2F0ZXdheS/, template);
    }
    for (const [id, to, problem] of [
      ['nobody', '+447700900123', { status: 404 }],
      ['page', '+447700900123', { status: 409 }],
      ['main', '07700 900123', { status: 400, errors: [{ path: 'to' }] }],
    ] as const)
      t.match(await refusal(desk.dryRun({ id, to })), problem);
  });
});

t.test('a test send says what came of it, and is on record', async (t) => {
  const gateway = await startGateway(t);
  await forEachDatabase(t, async (t, storage) => {
    const desk = deskOf(storage);
    const open = (id: string, path: string) =>
      httpProvider(id, `${gateway.url}/${path}`, {}, { enabled: false });
    await saveProviders(storage, [
      open('good', 'ok'),
      open('bad', 'badnumber'),
      open('echo', 'echo'),
      open('gone', 'cut'),
    ]);
    const to = '+447700900123';
    t.match(await desk.test({ id: 'good', to }), {
      ...{ outcome: 'accepted', reason: null, answer: { status: 200 }, tookMs: Number },
    });
    t.match(await desk.test({ id: 'bad', to }), {
      outcome: 'rejected',
      answer: { status: 400, body: /21211/ },
    });
    const echo = await desk.test({ id: 'echo', to, text: 'the code is 4711' });
    t.match(echo.answer?.body, /"to":"•••","text":"•••"/, 'masked');
    t.match(await desk.test({ id: 'gone', to }), { outcome: 'unknown', answer: null });
    t.match(await dump(storage.db), /provider\.tested/);
    t.notMatch(await dump(storage.db), '447700900123');
  });
});
