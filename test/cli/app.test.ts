import { parse as parseScript } from 'acorn';
import t from 'tap';
import { parse as parseYaml } from 'yaml';
import { readEnvironment } from '../../src/config/index.ts';
import { serve } from '../../src/server.ts';
import { freePort, shop, standard, testEnvironment } from '../helpers/gateway.ts';
import { sallyport } from './support.ts';

const previousSecret = 'the-secret-of-the-shop-before-0123456789';
const [shopEntry] = standard('http://localhost:1/').apps as [object];
const apps = [
  { ...shopEntry, previousSecret, idTokenSignedResponseAlg: 'ES256' },
  {
    id: 'spa',
    name: 'In the browser',
    redirectUris: ['https://spa.example/callback'],
    flow: 'password-sms',
    scopes: ['openid', 'groups'],
  },
];

/** The parts of the printed page behind their headings. */
function partsOf(output: string): Map<string, string> {
  const [head = '', ...rest] = output.split(/^--- /mu);
  return new Map([['', head], ...rest.map((part) => part.split(/\n([\s\S]*)/u) as [string, string])]);
}

t.test(
  'an app as its developers have to know it, also beside a running server',
  { timeout: 120_000 },
  async (t) => {
    const options = { databaseUrl: null, env: { PORT: String(await freePort()), LOG_LEVEL: 'silent' } };
    const env = await testEnvironment(t, options, { ...standard('http://localhost:1/'), apps });
    const server = await serve(readEnvironment(env));
    let running = true;
    t.teardown(() => (running ? server.close() : undefined));
    const show = (id: string) => sallyport(env, ['app', 'show', id]);

    const { code, output } = await show('shop');
    t.equal(code, 0);
    t.notMatch(output, shop.secret);
    t.notMatch(output, previousSecret);
    const parts = partsOf(output);
    t.strictSame(
      [...parts.keys()].map((name) => name.split(' ')[0]),
      ['', 'openid-client', 'oauth4webapi', 'passport-openidconnect', 'express-openid-connect', 'Spring'],
    );
    for (const [name, text] of parts) {
      const settings = text.replace(/^The app's entry needs:\n( .*\n)+\n/u, '');
      if (name === '') {
        for (const known of [
          `${server.issuer}/token`,
          shop.redirectUri,
          'urn:sallyport:acr:2',
          'pwd',
          'sms',
          'mfa',
        ])
          t.ok(text.includes(known), known);
        t.match(text, /two secrets are live/);
      } else if (name.startsWith('Spring')) {
        t.match(parseYaml(settings), {
          spring: {
            security: {
              oauth2: {
                client: {
                  registration: { sallyport: { 'client-id': 'shop', 'redirect-uri': shop.redirectUri } },
                },
              },
            },
          },
        });
        t.match(text, /idTokenSignedResponseAlg: RS256/);
      } else {
        t.doesNotThrow(() => parseScript(settings, { ecmaVersion: 'latest', sourceType: 'module' }), name);
        for (const known of [server.issuer, "'shop'", 'CLIENT_SECRET']) t.ok(settings.includes(known), known);
      }
      if (name.startsWith('passport')) t.match(text, /pkce: optional.*\n.*client_secret_post/);
    }

    const spa = partsOf((await show('spa')).output);
    t.ok([...spa.keys()].some((name) => name.startsWith('oidc-client-ts')));
    t.notOk(
      [...spa.keys()].some((name) => name.startsWith('express')),
      'it could not keep a secret',
    );
    t.match(await show('nobody'), { code: 1, errors: /no app with the id 'nobody'/ });

    running = false;
    await server.close();
    t.equal((await show('shop')).output, output, 'the same from the database itself');
    t.match(await show('nobody'), { code: 1, errors: /^There is no app with the id 'nobody'\.\n$/ });
  },
);
