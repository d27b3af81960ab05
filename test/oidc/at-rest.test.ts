import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { alice, openOidc, secret, shop } from './harness.ts';

t.test('nothing in the database or the log can be used to act as someone', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const secrets: Record<string, string> = { 'app secret': secret };
    const browser = createBrowser();
    const configuration = await gateway.configure();
    gateway.apps.set('shop', { ...shop, firstParty: false });
    const attempt = await gateway.begin(configuration, {
      scope: 'openid offline_access',
      prompt: 'login consent',
      login_hint: '+447700900123',
    });
    const login = await browser.open(attempt.url);
    secrets['binding of the login'] = browser.cookie('sp-login') ?? '';
    secrets['pending authorization'] = browser.cookie('sp-resume') ?? '';
    const [kept] = [...gateway.fake.logins.values()].map(({ request }) =>
      JSON.stringify(request.continuation),
    );
    const consent = await browser.submit(login, { user: alice.id, methods: 'pwd' });
    secrets['pending consent'] = browser.cookie('sp-consent') ?? '';
    secrets.session = browser.cookie('sp-session') ?? '';
    secrets.phone = '+447700900123';
    const dumps = [kept, await dump()];
    const { url } = await browser.submit(consent, { action: 'allow' }, gateway.isCallback);
    secrets.code = url.searchParams.get('code') ?? '';
    dumps.push(await dump());
    const tokens = await gateway.exchange(configuration, attempt, url);
    secrets['access token'] = tokens.access_token;
    secrets['refresh token'] = tokens.refresh_token ?? '';
    secrets['id token'] = tokens.id_token ?? '';
    await gateway.post('/introspect', { token: tokens.access_token });
    await browser.open(new URL('/session/end', gateway.issuer));
    secrets.logout = browser.cookie('sp-logout') ?? '';
    await gateway.post('/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' });
    await gateway.post('/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' });
    dumps.push(await dump(), JSON.stringify(gateway.log.lines));
    for (const [name, value] of Object.entries(secrets)) {
      t.ok(value.length > 8, `${name} was seen`);
      t.notOk(
        dumps.some((text) => text?.includes(value)),
        `${name} stands nowhere in clear`,
      );
    }

    async function dump(): Promise<string> {
      const tables = ['oidc_artifacts', 'sessions', 'signing_keys'] as const;
      const rows = await Promise.all(
        tables.map((table) => storage.db.selectFrom(table).selectAll().execute()),
      );
      return JSON.stringify(rows);
    }
  });
});

t.test('cookies on https, whatever the request says about its host', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage, 'https');
    const ask = (path: string, cookie = '') =>
      gateway.app.inject({ url: path, headers: { host: 'evil.test', cookie } });
    const discovery = (await ask('/.well-known/openid-configuration')).json();
    t.equal(discovery.token_endpoint, `${gateway.issuer.origin}/token`);
    const query = new URLSearchParams({
      client_id: 'shop',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: shop.redirectUris[0] ?? '',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    const started = await ask(`/authorize?${query}`, '__Host-sp-session=unknown');
    const cookies = [started.headers['set-cookie'] ?? []].flat();
    const path = String(started.headers.location);
    t.match(
      cookies.find((cookie) => cookie.startsWith('__Secure-sp-login=')),
      new RegExp(`path=${path};.*secure`, 'i'),
    );
    const resume = cookies.find((cookie) => cookie.startsWith('__Secure-sp-resume='));
    t.match(
      resume,
      /path=\/authorize\/[\w-]{43};.*secure; ?httponly|path=\/authorize\/[\w-]{43};.*httponly/i,
    );
    t.match(resume, /samesite=lax/i);
    t.notOk(
      cookies.some((cookie) => cookie.startsWith('__Host-sp-session=')),
      'no session, no cookie',
    );
    t.equal(cookies.length, 2);

    const back = await gateway.fake.finish(path.split('/').at(-1) ?? '', alice.id, ['pwd']);
    const done = await ask(new URL(back).pathname, resume?.split(';')[0] ?? '');
    t.match(done.headers.location, /^http:\/\/localhost:4501\/callback\?code=/);
    const session = [done.headers['set-cookie'] ?? []]
      .flat()
      .find((cookie) => cookie.includes('sp-session='));
    t.match(session, /^__Host-sp-session=[\w-]+; path=\/;.*secure/i);
    t.match(session, /httponly/i);
    t.match(session, /samesite=lax/i);
    t.match(session, /expires=/);
  });
});
