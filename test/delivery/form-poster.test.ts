import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createFormPoster } from '../../src/delivery/index.ts';

async function listen(t: Test, status: number | null) {
  const seen: { method?: string | undefined; type: string | undefined; body: string }[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({ method: request.method, type: request.headers['content-type'], body });
    if (status !== null) response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('x');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { seen, url: new URL(`http://127.0.0.1:${port}/logout?x=1`) };
}

const form = new URLSearchParams({ logout_token: 'a b' });

t.test('a form reaches an address of a private network only where that is permitted', async (t) => {
  const poster = createFormPoster({ timeoutMs: 2_000 });
  t.teardown(() => poster.close());
  const { seen, url } = await listen(t, 302);
  await t.rejects(poster.post(url, form, { allowPrivateNetwork: false }), /private, local or reserved/);
  t.equal(seen.length, 0);
  t.equal(await poster.post(url, form, { allowPrivateNetwork: true }), 302, 'and no redirect is followed');
  t.strictSame(seen, [
    { method: 'POST', type: 'application/x-www-form-urlencoded', body: 'logout_token=a+b' },
  ]);
});

t.test('it does not wait for ever', async (t) => {
  const poster = createFormPoster({ timeoutMs: 200 });
  t.teardown(() => poster.close());
  const { url } = await listen(t, null);
  await t.rejects(poster.post(url, form, { allowPrivateNetwork: true }), /200 ms/);
});
