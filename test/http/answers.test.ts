import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { request } from 'undici';
import { Problem } from '../../src/lib/problem.ts';
import { openTestHttp } from '../helpers/http.ts';
import { recordingLog } from '../helpers/log.ts';

const html = { accept: 'text/html,application/xhtml+xml' };

/** A server whose one route fails as the test says. */
async function failing(error: unknown, log = recordingLog()) {
  const { app } = await openTestHttp({
    log,
    isUnavailable: (thrown) => thrown instanceof Error && thrown.message === 'connection lost',
  });
  app.get('/fails/:id', async () => {
    throw error;
  });
  app.post('/takes', { schema: { body: schema } }, async () => ({ ok: true }));
  return { app, log };
}
const schema = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, list: { type: 'array', items: { type: 'integer' } } },
};

t.test('what goes wrong is told as a page to people and as problem details to programs', async (t) => {
  const cases = [
    {
      error: new Problem({
        status: 429,
        code: 'too_many_requests',
        message: 'Slow down.',
        retryAfterSeconds: 30,
      }),
      status: 429,
      code: 'too_many_requests',
      sentence: 'That was a lot of requests at once.',
      retryAfter: '30',
    },
    {
      error: new Problem({ status: 409, code: 'unheard_of', message: 'Only programs read this.' }),
      status: 409,
      code: 'unheard_of',
      sentence: 'Part of what your browser sent',
    },
    { error: new Error('secret detail'), status: 500, code: 'internal', sentence: 'The mistake is ours' },
    {
      error: new Error('connection lost'),
      status: 503,
      code: 'unavailable',
      sentence: 'We cannot reach our records',
      retryAfter: '5',
    },
  ];
  for (const { error, status, code, sentence, retryAfter } of cases) {
    const { app } = await failing(error);
    t.teardown(() => app.close());
    const page = await app.inject({ url: '/fails/1', headers: html });
    t.equal(page.statusCode, status);
    t.match(page.headers['content-type'], 'text/html');
    t.match(page.body, sentence);
    t.match(page.body, /quote this reference: <strong>[0-9a-f]{10}<\/strong>/);
    t.equal(page.headers['retry-after'], retryAfter);

    const details = await app.inject({ url: '/fails/1' });
    t.equal(details.statusCode, status);
    t.match(details.headers['content-type'], 'application/problem+json');
    t.match(details.json(), { status, code, reference: /^[0-9a-f]{10}$/ });
    for (const { body } of [page, details]) t.notMatch(body, /secret detail|connection lost/);
  }
});

t.test('the log has the route and the cause, never the address', async (t) => {
  const { app, log } = await failing(new Error('the cause'));
  t.teardown(() => app.close());
  await app.inject({ url: '/fails/login-4711?code=123456' });
  await app.inject({ url: '/nowhere/4711?code=123456' });
  const lines = JSON.stringify(log.lines, (_, value) => (value instanceof Error ? value.message : value));
  t.match(lines, '/fails/:id');
  t.match(lines, 'the cause');
  t.notMatch(lines, /4711|123456/);
  t.match(log.lines.find(({ message }) => message === 'answered')?.fields, {
    method: 'GET',
    route: '/fails/:id',
    status: 500,
    reqId: /^[0-9a-f]{10}$/,
  });
});

t.test('input that cannot be read is refused with what is wrong', async (t) => {
  const { app } = await failing(null);
  t.teardown(() => app.close());
  const post = (payload: string, type = 'application/json') =>
    app.inject({ method: 'POST', url: '/takes', headers: { 'content-type': type }, payload });

  const wrong = await post('{"list":[1,"x"]}');
  t.match(wrong.json(), { status: 400, code: 'invalid_request', errors: [{ path: 'name' }] });
  t.match((await post('{"name":"a","list":[1,"x"]}')).json(), { errors: [{ path: 'list[1]' }] });
  t.match((await post('{"name":')).json(), { status: 400, code: 'invalid_request' });
  t.match((await post('<name/>', 'text/xml')).json(), { status: 415, code: 'unsupported_media_type' });
  t.match((await post(JSON.stringify({ name: 'a'.repeat(70_000) }))).json(), {
    status: 413,
    code: 'too_large',
  });
  const form = await post(`name=${'a'.repeat(70_000)}`, 'application/x-www-form-urlencoded');
  t.match(form.json(), { status: 413, code: 'too_large' });
  t.equal((await post('name=a', 'application/x-www-form-urlencoded')).statusCode, 200);
});

t.test(
  'a handler that takes too long is answered for, whether or not a form came with the request',
  async (t) => {
    const { app } = await openTestHttp({ handlerTimeoutMs: 50 });
    const held = Promise.withResolvers<void>();
    t.teardown(async () => {
      held.resolve();
      await app.close();
    });
    const slow = async () => {
      await held.promise;
      return { ok: true };
    };
    app.get('/slow', slow);
    app.post('/slow', slow);
    app.post('/own', { config: { answersItself: true } }, async (_request, reply) => {
      await setTimeout(100);
      return reply.send({ own: true });
    });
    app.post('/quick', async () => ({ quick: true }));
    const origin = await app.listen({ port: 0, host: '127.0.0.1' });
    const ask = async (path: string, body?: string, method = 'POST') => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await request(origin + path, { method, ...(body !== undefined && { headers, body }) });
      return {
        status: answer.statusCode,
        again: answer.headers['retry-after'],
        body: await answer.body.json(),
      };
    };
    const overdue = { status: 503, again: '1', body: { code: 'timeout', status: 503 } };
    t.match(await ask('/slow', undefined, 'GET'), overdue);
    t.match(await ask('/slow'), overdue);
    t.match(await ask('/slow', 'name=value'), overdue);
    t.match(await ask('/own', 'name=value'), { status: 200, body: { own: true } });
    t.match(await ask('/quick', 'name=value'), { status: 200, body: { quick: true } });
    await setTimeout(60);
    t.match(
      await ask('/quick', 'name=value'),
      { status: 200 },
      'what was answered in time is not answered again',
    );
  },
);

t.test('a page that is not there says so, where to go, and whom to ask', async (t) => {
  const { app } = await openTestHttp({ helpContact: () => 'help@example.test' });
  t.teardown(() => app.close());
  const page = await app.inject({ url: '/nowhere', headers: { ...html, 'accept-language': 'en' } });
  t.equal(page.statusCode, 404);
  t.match(page.body, 'There is nothing here');
  t.match(page.body, '<a class="primary" href="/">Go to the start page</a>');
  t.match(page.body, '<a href="mailto:help@example.test">Help</a>');
  t.match((await app.inject({ url: '/nowhere' })).json(), { status: 404, code: 'not_found' });
  t.equal((await app.inject({ method: 'HEAD', url: '/' })).statusCode, 404, 'HEAD runs no handler of a GET');
});

t.test('every page forbids what it does not need', async (t) => {
  const { app } = await openTestHttp();
  t.teardown(() => app.close());
  for (const url of ['/', '/nowhere']) {
    const { headers } = await app.inject({ url, headers: html });
    const policy = String(headers['content-security-policy']);
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
    ]) {
      t.match(policy, rule);
    }
    t.notMatch(policy, /form-action|upgrade-insecure|unsafe/);
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    t.equal(headers['strict-transport-security'], undefined, 'not on http');
  }
  const secure = await openTestHttp({ issuer: new URL('https://id.example.test') });
  t.teardown(() => secure.app.close());
  t.match((await secure.app.inject({ url: '/' })).headers['strict-transport-security'], 'max-age=31536000');
});

t.test('assets are kept for ever under the address of their content, and only there', async (t) => {
  const { app } = await openTestHttp();
  t.teardown(() => app.close());
  const { body } = await app.inject({ url: '/' });
  const address = /href="(\/assets\/sallyport\.css\?v=[\w-]+)"/.exec(body)?.[1] ?? '';
  const answer = await app.inject({ url: address });
  t.equal(answer.statusCode, 200);
  t.match(answer.headers, { 'content-type': 'text/css; charset=utf-8', 'cache-control': /immutable/ });
  t.ok(answer.body.length < 20 * 1024, 'the style sheet is small');
  for (const url of ['/assets/sallyport.css', '/assets/sallyport.css?v=other']) {
    t.equal((await app.inject({ url })).headers['cache-control'], 'no-cache');
  }
  t.equal((await app.inject({ url: '/assets/../locales/de.json' })).statusCode, 404);
});

t.test('closing lets a running answer end and does not wait for idle connections', async (t) => {
  const { app } = await openTestHttp();
  let release = () => {};
  const entered = new Promise<void>((resolve) => {
    app.get('/slow', async () => {
      resolve();
      await new Promise<void>((end) => {
        release = end;
      });
      return 'done';
    });
  });
  const url = await app.listen({ port: 0 });
  const idle = await fetch(url);
  await idle.text();
  const slow = fetch(`${url}/slow`);
  await entered;
  const closed = app.close();
  release();
  t.equal(await (await slow).text(), 'done');
  await closed;
});

t.test('no database keeps a NUL character: whoever sends one is told so', async (t) => {
  const { app } = await openTestHttp();
  t.teardown(() => app.close());
  app.all('/echo', async () => ({ ok: true }));
  const asJson = { 'content-type': 'application/json' };
  const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const sent of [
    { method: 'GET', url: '/echo?state=a%00b' },
    { method: 'POST', url: '/echo', headers: asJson, payload: '{"username":"a\\u0000b"}' },
    { method: 'POST', url: '/echo', headers: asForm, payload: 'username=a%00b' },
  ] as const) {
    const answer = await app.inject(sent);
    t.match({ status: answer.statusCode, ...answer.json() }, { status: 400, code: 'invalid_request' });
  }
  const fine = await app.inject({ method: 'POST', url: '/echo', headers: asForm, payload: 'list=a&list=b' });
  t.equal(fine.statusCode, 200);
});

t.test('an address that is none is answered like every other mistake, and not repeated', async (t) => {
  const { app } = await openTestHttp();
  t.teardown(() => app.close());
  const answer = await app.inject('/login/%E0%A4%A<script>');
  t.equal(answer.statusCode, 400);
  t.match(answer.headers['content-type'], 'application/problem+json');
  t.equal(answer.headers['x-content-type-options'], 'nosniff');
  t.equal(answer.headers['cache-control'], 'no-store');
  t.notMatch(answer.body, 'script');
});
