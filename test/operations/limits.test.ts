import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startSmsGateway } from '../../src/demo/index.ts';
import { alice, postgresUrl, shop, standard, type TestGateway, testEnvironment } from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { createTestApp, signIn } from '../helpers/relying-party.ts';
import { openFilesLimit, residentMiB, socketsOf } from './support.ts';

/**
 * 10 000, or what the system lets one process have: this one and the gateway need a descriptor for each. A fifth of it
 * is left for everything else.
 */
const wanted = 10_000;
const idle = Math.min(wanted, Math.floor(openFilesLimit() * 0.8));
/** Fewer than the kernel keeps waiting for one door (Node asks for 511): beyond it, one would be tried again in 1 s. */
const batch = 400;

async function openIdle(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < idle) {
    const count = Math.min(batch, idle - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => open(port)))));
  }
  return sockets;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends `head`, then a byte each 200 ms, and answers the status and after how many ms the connection was over. */
async function drip(port: number, head: string, byte: string): Promise<{ status: number; ms: number }> {
  const started = performance.now();
  const socket = await open(port);
  socket.write(head);
  const timer = setInterval(() => void socket.write(byte), 200);
  const answer = await text(socket).catch(() => '');
  clearInterval(timer);
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0), ms: performance.now() - started };
}

/** The status that raw bytes are answered with; 0 when the connection is closed without a word. */
async function answerTo(port: number, bytes: string | Buffer): Promise<number> {
  const socket = await open(port);
  socket.write(bytes);
  const timer = setTimeout(() => socket.destroy(), 5_000);
  const answer = await text(socket).catch(() => '');
  clearTimeout(timer);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
}

const host = 'Host: localhost\r\nConnection: close\r\n';
const form = 'Content-Type: application/x-www-form-urlencoded\r\n';

const malformed: Record<string, string | Buffer> = {
  'no HTTP': 'hello\r\n\r\n',
  'bytes of TLS': Buffer.from('160301020001000001fc0303', 'hex'),
  'two lengths': `POST /token HTTP/1.1\r\n${host}${form}Content-Length: 3\r\nContent-Length: 4\r\n\r\na=bc`,
  'length and chunks': `POST /token HTTP/1.1\r\n${host}${form}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a chunk of no size': `POST /token HTTP/1.1\r\n${host}${form}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
  'no host': 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
  'a header of 100 KB': `GET / HTTP/1.1\r\n${host}X-Long: ${'x'.repeat(100_000)}\r\n\r\n`,
  'an address of 100 KB': `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
  'an address that is no UTF-8': `GET /login/%ff%fe HTTP/1.1\r\n${host}\r\n`,
  'a NUL in the address': `GET /login/%00 HTTP/1.1\r\n${host}\r\n`,
  'a header with a control character': `GET / HTTP/1.1\r\n${host}X-Bad: a\u0001b\r\n\r\n`,
  'an unknown method': `BREW / HTTP/1.1\r\n${host}\r\n`,
  'JSON that is none': `POST /login/lgn_x HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{]`,
  'a type that is none': `POST /login/lgn_x HTTP/1.1\r\n${host}Content-Type: ;;;\r\nContent-Length: 2\r\n\r\n{}`,
  'cookies that are none': `GET /login/lgn_x HTTP/1.1\r\n${host}Cookie: =;;;=%%%; a=\u00ff\r\n\r\n`,
  'an authorization that is none': `POST /token HTTP/1.1\r\n${host}${form}Authorization: Basic %%%\r\nContent-Length: 3\r\n\r\na=b`,
};

/**
 * A 4xx; or nothing, where the sender went on writing into a connection that was closed after the answer: its own
 * system may then throw the answer away (RFC 9112, section 9.6).
 */
const refused = (status: number): boolean => status === 0 || (status >= 400 && status < 500);

/** Still being written when the answer comes. */
const overlong = new Set(['a header of 100 KB', 'an address of 100 KB']);

const megabyte = 'x'.repeat(1024 * 1024);

async function largeBodies(t: Test, issuer: string): Promise<void> {
  for (const [path, type] of [
    ['/token', 'application/x-www-form-urlencoded'],
    ['/request', 'application/x-www-form-urlencoded'],
    ['/login/lgn_x', 'application/x-www-form-urlencoded'],
    ['/login/lgn_x', 'application/json'],
  ] as const) {
    // A refusal may come before all of the body was read; the connection is then cut under the sender.
    const status = await fetch(issuer + path, {
      method: 'POST',
      body: `a=${megabyte}`,
      headers: { 'content-type': type },
    }).then(
      (answer) => answer.status,
      () => 413,
    );
    t.ok(status >= 400 && status < 500, `1 MB to ${path} as ${type}: ${status}`);
  }
}

t.test('slow, idle, large and malformed: 4xx, no crash, no growth', async (t) => {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const databaseUrl = await postgresUrl(t);
  const env = await testEnvironment(t, { databaseUrl, env: { LOG_LEVEL: 'error' } }, standard(sms.url));
  const { process: gateway, port } = await startProcess(t, env);
  const issuer = `http://localhost:${port}`;
  const app = await createTestApp({ issuer } as TestGateway, shop);
  const login = () => signIn({ issuer, sms } as TestGateway, app, alice);
  await login();
  const atRest = residentMiB(gateway.pid ?? 0);

  await t.test('slow senders and idle connections are let go, and others served meanwhile', async (t) => {
    if (idle < wanted)
      t.comment(`only ${idle} idle connections: the limit of open files is too low for more`);
    let closed = 0;
    const sockets = await openIdle(port);
    for (const socket of sockets) socket.resume().on('close', () => (closed += 1));
    const held = socketsOf(gateway.pid ?? 0);
    t.ok(held >= idle, `the gateway holds ${held} connections`);
    const each = (residentMiB(gateway.pid ?? 0) - atRest) * (1024 / idle);
    t.ok(each < 30, `${each.toFixed(1)} KiB of memory each`);
    const headers = drip(port, 'GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ', 'a');
    const silent = drip(port, '', '');
    const body = drip(port, `POST /token HTTP/1.1\r\n${host}${form}Content-Length: 1000\r\n\r\n`, 'a');
    t.ok((await login()).tokens.access_token, `a login beside ${idle} idle connections`);
    const slowHeaders = await headers;
    t.ok(refused(slowHeaders.status), `headers dripped: ${slowHeaders.status}`);
    t.ok(slowHeaders.ms < 15_000, `after ${Math.round(slowHeaders.ms)} ms`);
    t.ok((await silent).ms < 15_000, 'nothing sent at all');
    const slowBody = await body;
    t.ok(refused(slowBody.status), `body dripped: ${slowBody.status}`);
    t.ok(slowBody.ms < 25_000, `after ${Math.round(slowBody.ms)} ms`);
    for (let tries = 0; tries < 100 && closed < idle; tries += 1) await delay(50);
    t.equal(closed, idle, 'idle connections do not stay');
    for (const socket of sockets) socket.destroy();
  });

  await t.test('large bodies', (t) => largeBodies(t, issuer));

  await t.test('malformed requests', async (t) => {
    for (const [name, bytes] of Object.entries(malformed)) {
      const status = await answerTo(port, bytes);
      const answered = status >= 400 && status < 500;
      t.ok(overlong.has(name) ? refused(status) : answered, `${name}: ${status}`);
    }
  });

  await t.test('again and again: memory stays', async (t) => {
    const round = () =>
      Promise.all([
        ...Object.values(malformed).map((bytes) => answerTo(port, bytes)),
        largeBodies(t, issuer),
      ]);
    // At first the heap takes the room that this work needs.
    for (let i = 0; i < 20; i += 1) await round();
    const before = residentMiB(gateway.pid ?? 0);
    for (let i = 0; i < 40; i += 1) await round();
    const grown = residentMiB(gateway.pid ?? 0) - before;
    t.ok(grown < 60, `${Math.round(grown)} MiB more than before`);
  });

  t.equal(gateway.exitCode, null, 'the process lives');
  t.ok((await login()).tokens.access_token, 'and logs people in');
});
