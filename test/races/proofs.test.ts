import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { postgresOnly } from '../helpers/database.ts';
import { callback, openOidc, shop } from '../oidc/harness.ts';
import { assertion, bank, dpop, ordersApi, proofKey } from '../oidc/proofs.ts';

const many = 50;
const atOnce = <T>(ask: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: many }, ask));

t.test('one client assertion, fifty times at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const { privateKey, app } = await bank();
    gateway.apps.set(app.id, app);
    for (let round = 0; round < 3; round += 1) {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(gateway, privateKey),
      });
      const url = new URL('/token', gateway.issuer);
      const answers = await atOnce(() => fetch(url, { method: 'POST', body }));
      const statuses = answers.map(({ status }) => status);
      t.equal(statuses.filter((status) => status === 200).length, 1, 'exactly one');
      t.equal(statuses.filter((status) => status === 401).length, many - 1);
    }
  });
});

t.test('one pushed request, fifty times at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const browser = createBrowser();
    await gateway.signIn({}, { browser });
    const cookie = `sp-session=${browser.cookie('sp-session')}`;
    for (let round = 0; round < 3; round += 1) {
      const pushed = await gateway.post('/request', {
        ...{ response_type: 'code', client_id: 'shop', redirect_uri: callback, scope: 'openid' },
        ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
      });
      const query = new URLSearchParams({ client_id: 'shop', request_uri: pushed.body.request_uri });
      const url = `/authorize?${query}`;
      const answers = await atOnce(() => gateway.app.inject({ url, headers: { cookie } }));
      const codes = answers.filter(({ headers }) => String(headers.location).includes('code='));
      t.equal(codes.length, 1, 'exactly one code');
      const rows = await storage.db
        .selectFrom('oidc_artifacts')
        .select('model')
        .where('model', '=', 'AuthorizationCode')
        .where('consumed_at', 'is', null)
        .execute();
      t.equal(rows.length, round + 1, 'and no other was written');
    }
    t.strictSame(
      gateway.log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});

t.test('one DPoP proof, fifty times at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', {
      ...shop,
      grantTypes: ['authorization_code', 'client_credentials'],
      resources: [ordersApi],
    });
    const proof = await dpop(await proofKey(), 'POST', new URL('/token', gateway.issuer).href);
    const form = { grant_type: 'client_credentials', scope: 'orders:read' };
    const answers = await atOnce(() => gateway.post('/token', form, { dpop: proof }));
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
  });
});

t.test('one code for a JWT, fifty exchanges at once', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    gateway.apps.set('shop', { ...shop, resources: [ordersApi] });
    const extra = { scope: 'openid orders:read', resource: ordersApi.audience };
    const attempt = await gateway.begin(await gateway.configure(), extra);
    const { url } = await gateway.authorize(createBrowser(), attempt);
    const form = {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: callback,
      code_verifier: attempt.verifier,
    };
    const answers = await atOnce(() => gateway.post('/token', form));
    t.equal(answers.filter(({ status }) => status === 200).length, 1, 'though nothing is stored for it');
    const lost = answers.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant');
    t.equal(lost.length, many - 1);
  });
});
