import fastify from 'fastify';
import t from 'tap';
import { Problem } from '../../src/lib/problem.ts';
import { createLog } from '../../src/telemetry/index.ts';

function memoryLog(level = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') };
}

t.test('writes JSON lines with level, time and message, from its level on', async (t) => {
  const { log, lines, last } = memoryLog('warn');
  log.info({}, 'unheard');
  t.strictSame(lines, []);
  log.warn({ provider: 'main' }, 'slow');
  t.match(last(), { level: 'warn', msg: 'slow', provider: 'main', time: /^20.*Z$/, pid: process.pid });
});

t.test('takes out what could be a secret', async (t) => {
  const { log, lines } = memoryLog();
  for (const name of [
    'password',
    'code',
    'token',
    'secret',
    'cookie',
    'set-cookie',
    'authorization',
    'phone',
    'username',
  ]) {
    log.info({ [name]: 'hunter2' }, 'top');
    log.info({ body: { [name]: 'hunter2' }, headers: { [name]: 'hunter2' } }, 'below');
  }
  t.notMatch(lines.join(''), /hunter2/);
  t.match(lines.join(''), /\[redacted\]/);
});

t.test('an error is told with its causes, and without the values that were in its way', async (t) => {
  const { log, lines, last } = memoryLog();
  const cause = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (phone)=(+15005550006) already exists.',
    parameters: ['hunter2'],
    constraint: 'users_phone_verified',
  });
  log.error({ err: new Problem({ status: 500, code: 'broken', message: 'It broke.', cause }) }, 'failed');
  t.match(last().err, {
    type: 'Problem',
    message: 'It broke.',
    errorCode: 'broken',
    status: 500,
    stack: /log\.test/,
    cause: { message: 'duplicate key', errorCode: '23505', constraint: 'users_phone_verified' },
  });
  log.error({ err: 'a string' }, 'failed');
  t.notMatch(lines.join(''), /5005550006|hunter2|a string/);
});

t.test('a request is named by its route, not by its URL', async (t) => {
  const { log, lines } = memoryLog();
  const app = fastify({ loggerInstance: log });
  t.teardown(() => app.close());
  // The framework's own answer to an unknown address would log it.
  app.setNotFoundHandler((request, reply) => {
    request.log.info({ req: request }, 'not found');
    return reply.code(404).send({});
  });
  app.get('/otp/:token/:code', async (request) => {
    request.log.info('inside');
    return {};
  });
  await app.inject({ url: '/otp/sekret/123456?x=hunter2', headers: { cookie: 'a=hunter2' } });
  await app.inject({ url: '/no/such/sekret?x=hunter2' });
  const text = lines.join('');
  t.match(text, /"route":"\/otp\/:token\/:code"/);
  t.match(text, /"status":200/);
  t.match(text, /"status":404/);
  t.notMatch(text, /sekret|123456|hunter2/);
});
