/** Where sessions began, as a proxy in front says it. */
import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { eachDatabaseUrl, generousGuard } from '../helpers/gateway.ts';
import { openAccounts } from './support.ts';

const carol = { username: 'carol', password: 'nine patient teapots' };

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const { at, db, enter, gateway } = await openAccounts(t, databaseUrl, {
    gateway: {
      ...{ name: 'Sallyport', guard: generousGuard },
      ...{ trustedProxies: ['127.0.0.0/8', '::1/128'], country: { header: 'CF-IPCountry' } },
    },
    users: [carol],
  });
  const issuer = new URL(gateway.issuer);
  const proxy = createServer((request, response) => {
    const headers = { ...request.headers, host: issuer.host, 'cf-ipcountry': 'DE' };
    const options = { port: issuer.port, path: request.url, method: request.method, headers };
    const passed = ask(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const through = (url: URL) => new URL(url.pathname + url.search, `http://127.0.0.1:${port}`);

  const { browser, page } = await enter('/account/sessions', carol, createBrowser(through));
  t.match(page.html, /Network address · [\d.:a-f]+, Germany</);
  t.strictSame(await db.selectFrom('sessions').select('country').execute(), [{ country: 'DE' }]);
  const direct = await enter('/account', carol);
  t.equal(direct.page.url.pathname, '/account');
  const both = await browser.open(at('/account/sessions'));
  t.match(both.html, /Network address · [\d.:a-f]+<\/p>/, 'nothing is said where nothing is known');
});
