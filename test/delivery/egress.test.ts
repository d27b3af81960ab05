import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createEgress, type EgressOptions } from '../../src/delivery/index.ts';
import { isPublicAddress, publicLookup } from '../../src/delivery/network/addresses.ts';
import { type Exchange, exchange } from '../../src/delivery/network/exchange.ts';
import { startGateway } from './hostile-gateway.ts';

const pem = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function get(t: Test, origin: string, options: Partial<EgressOptions> = {}): Promise<Exchange> {
  const dispatcher = createEgress({ allowPrivateNetwork: false, ...options });
  t.teardown(() => dispatcher.destroy());
  return exchange(dispatcher, {
    origin,
    request: { method: 'GET', path: '/ok', headers: [], body: null },
    timeoutMs: 3_000,
    settled: () => false,
  });
}

t.test('which addresses are public', async (t) => {
  const refused = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.0.1',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:0:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::8.8.8.8',
    '100::1',
    '2001:db8::1',
    '2001::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ];
  for (const address of refused) t.notOk(isPublicAddress(address), address);
  const allowed = ['8.8.8.8', '172.32.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'];
  for (const address of allowed) t.ok(isPublicAddress(address), address);
});

t.test('literal private addresses are refused before a connection is made', async (t) => {
  const gateway = await startGateway(t);
  const port = new URL(gateway.url).port;
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', 'localhost']) {
    const result = await get(t, new URL(`http://${host}:${port}`).origin);
    t.match(result, { answer: null, written: false, error: { name: 'AddressRefused' } }, host);
  }
  t.equal(gateway.received.length, 0);
  const permitted = await get(t, gateway.url, { allowPrivateNetwork: true });
  t.equal(permitted.answer?.status, 200);
});

t.test('a name that turns to a private address is refused when it is connected to', async (t) => {
  const gateway = await startGateway(t);
  const port = new URL(gateway.url).port;
  const private4 = ['127.0.0.1', '169.254.169.254', '10.0.0.1', '100.64.0.1'];
  const private6 = ['::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', 'fe80::1'];
  const answers = [
    ...private4.map((address) => [{ address, family: 4 }]),
    ...private6.map((address) => [{ address, family: 6 }]),
    [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ],
  ];
  for (const addresses of answers) {
    let asked = 0;
    const result = await get(t, `http://rebinding.example:${port}`, {
      resolve(_host, callback) {
        asked++;
        callback(null, addresses);
      },
    });
    t.match(result, { answer: null, written: false, error: { name: 'AddressRefused' } });
    t.equal(asked, 1, 'what was checked is what is connected to');
  }
  t.equal(gateway.received.length, 0);
});

t.test('a name that was public a moment ago is looked at anew for each connection', async (t) => {
  const turns = ['8.8.8.8', '127.0.0.1', '8.8.8.8', '169.254.169.254'];
  let asked = 0;
  const lookup = publicLookup((_host, callback) =>
    callback(null, [{ address: turns[asked++] ?? '', family: 4 }]),
  );
  const answers: string[] = [];
  for (const _ of turns) {
    answers.push(
      await new Promise((resolve) =>
        lookup('turning.example', {}, (error, found) => resolve(error ? error.name : String(found))),
      ),
    );
  }
  t.same(answers, ['8.8.8.8', 'AddressRefused', '8.8.8.8', 'AddressRefused']);
});

t.test('of several addresses only the public ones are used', async (t) => {
  const lookup = publicLookup((_host, callback) =>
    callback(null, [
      { address: '10.0.0.1', family: 4 },
      { address: '8.8.8.8', family: 4 },
    ]),
  );
  const all = await new Promise((resolve) =>
    lookup('a.example', { all: true }, (_error, found) => resolve(found)),
  );
  t.same(all, [{ address: '8.8.8.8', family: 4 }]);
  const one = await new Promise((resolve) => lookup('a.example', {}, (_error, found) => resolve(found)));
  t.equal(one, '8.8.8.8');
});

t.test('TLS is verified; a gateway’s own authority is trusted beside the system’s', async (t) => {
  const server = createHttpsServer(
    { cert: pem('localhost.cert.pem'), key: pem('localhost.key.pem') },
    (_, response) => response.end('secure'),
  );
  const origin = `https://127.0.0.1:${await listen(t, server)}`;
  const stranger = await get(t, origin, { allowPrivateNetwork: true });
  t.match(stranger, { answer: null, written: false });
  const known = await get(t, origin, { allowPrivateNetwork: true, tls: { ca: pem('localhost.cert.pem') } });
  t.equal(known.answer?.body, 'secure');
  server.closeAllConnections();
});

t.test('a client certificate is shown to the gateway', async (t) => {
  const certificate = { cert: pem('localhost.cert.pem'), key: pem('localhost.key.pem') };
  const server = createHttpsServer(
    { ...certificate, ca: certificate.cert, requestCert: true, rejectUnauthorized: true },
    (_, response) => response.end('known'),
  );
  const origin = `https://127.0.0.1:${await listen(t, server)}`;
  const ca = certificate.cert;
  t.equal((await get(t, origin, { allowPrivateNetwork: true, tls: { ca } })).answer, null);
  const shown = await get(t, origin, { allowPrivateNetwork: true, tls: { ca, ...certificate } });
  t.equal(shown.answer?.body, 'known');
  server.closeAllConnections();
});

t.test('through a proxy', async (t) => {
  const gateway = await startGateway(t);
  const asked: string[] = [];
  const proxy = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('from the proxy');
  });
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    const upstream = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  const url = `http://127.0.0.1:${await listen(t, proxy)}`;
  const plain = await get(t, 'http://sms.example', { proxy: url });
  t.equal(plain.answer?.body, 'from the proxy');
  t.same(asked, ['GET http://sms.example/ok']);
  const tunnelled = await get(t, 'https://sms.example', { proxy: url });
  t.match(tunnelled, { answer: null, written: false }, 'no TLS behind it, so nothing was written');
  t.equal(asked[1], 'CONNECT sms.example:443');
  proxy.closeAllConnections();
});
