import type { FastifyRequest } from 'fastify';
import t from 'tap';
import type { Problem } from '../../src/lib/problem.ts';
import { openTestHttp } from '../helpers/http.ts';

const origin = 'http://localhost:3000';

t.test('a form is accepted from our own page with the token of this browser only', async (t) => {
  const { app, http } = await openTestHttp();
  t.teardown(() => app.close());
  const token = http.forms.token('binding');
  const cases: [string, boolean, Record<string, string>, unknown, string?][] = [
    ['by a browser', true, { origin, 'sec-fetch-site': 'same-origin' }, { _token: token }],
    ['by an old browser', true, { origin }, { _token: token }],
    ['by a program that knows the token', true, {}, { _token: token }],
    [
      'from another site',
      false,
      { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
      { _token: token },
    ],
    [
      'from another port',
      false,
      { origin: 'http://localhost:3001', 'sec-fetch-site': 'same-site' },
      { _token: token },
    ],
    ['from a sandboxed frame', false, { origin: 'null' }, { _token: token }],
    ['without a token', false, { origin }, {}],
    ['without a body', false, { origin }, undefined],
    ['with a list of tokens', false, { origin }, { _token: [token] }],
    ['with the token of another browser', false, { origin }, { _token: http.forms.token('other') }],
    ['without a binding', false, { origin }, { _token: http.forms.token('') }, ''],
  ];
  for (const [name, accepted, headers, body, binding = 'binding'] of cases) {
    const check = () => http.forms.check({ headers, body } as FastifyRequest, binding);
    if (accepted) t.doesNotThrow(check, name);
    else t.throws(check, { status: 403, code: 'foreign_form' } as Problem, name);
  }
});

t.test('cookies carry the prefixes of their scope on https and plain names on loopback', async (t) => {
  const cases = [
    { issuer: origin, host: 'sp', path: 'sp', secure: false },
    { issuer: 'https://id.example.test', host: '__Host-sp', path: '__Secure-sp', secure: true },
  ];
  for (const { issuer, host, path, secure } of cases) {
    const { app, http } = await openTestHttp({ issuer: new URL(issuer) });
    t.teardown(() => app.close());
    app.get('/set', async (request, reply) => {
      http.cookies.set(reply, 'sp', 'a', { maxAgeMs: 90_500 });
      http.cookies.set(reply, 'sp', 'b', { path: '/login/1' });
      http.cookies.clear(reply, 'old', {});
      return { host: http.cookies.get(request, 'sp', 'host') ?? null };
    });
    const answer = await app.inject({ url: '/set', cookies: { [host]: 'sent' } });
    const common = { httpOnly: true, sameSite: 'Lax', ...(secure ? { secure: true } : {}) };
    t.match(answer.cookies, [
      { name: host, value: 'a', path: '/', maxAge: 90, ...common },
      { name: path, value: 'b', path: '/login/1', ...common },
      { name: secure ? '__Host-old' : 'old', value: '', path: '/', ...common },
    ]);
    t.equal(
      answer.cookies.some((cookie) => cookie.domain !== undefined),
      false,
    );
    t.match(answer.json(), { host: 'sent' });
    t.equal(http.cookies.name('sp', 'path'), path);
  }
});

t.test('JSON is given to those who ask for it', async (t) => {
  const { app, http } = await openTestHttp();
  t.teardown(() => app.close());
  const asks = (accept?: string) => http.wantsJson({ headers: { accept } } as FastifyRequest);
  t.equal(asks('application/json'), true);
  t.equal(asks('text/html,application/json;q=0.5'), false);
  t.equal(asks('*/*'), false);
  t.equal(asks(), false);
});
