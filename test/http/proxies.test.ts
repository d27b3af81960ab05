import t from 'tap';
import { openTestHttp } from '../helpers/http.ts';
import { recordingLog } from '../helpers/log.ts';

const ask = async (trustedProxies: string[], headers: Record<string, string>, times = 1) => {
  const log = recordingLog();
  const { app } = await openTestHttp({ log, trustedProxies });
  app.get('/there', async () => 'ok');
  for (let n = 0; n < times; n += 1) await app.inject({ url: '/there', headers });
  await app.close();
  return log.lines.filter((line) => JSON.stringify(line).includes('trustedProxies')).length;
};

t.test('a proxy that is not trusted is told of once', async (t) => {
  const forwarded = { 'x-forwarded-for': '203.0.113.9' };
  t.equal(await ask([], forwarded, 3), 1);
  t.equal(await ask(['10.0.0.0/8'], forwarded), 1);
  t.equal(await ask(['127.0.0.1/32'], forwarded, 2), 0);
  t.equal(await ask([], {}), 0);
  t.equal(await ask([], { forwarded: 'for=203.0.113.9' }), 1);
});
