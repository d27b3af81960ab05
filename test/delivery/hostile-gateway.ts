import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Gateway {
  url: string;
  received: Received[];
}

/** A local HTTP server that remembers what came, and answers by the first segment of the path. */
export async function startGateway(t: Test, extra: Record<string, Behaviour> = {}): Promise<Gateway> {
  const received: Received[] = [];
  const known = { ...behaviours, ...extra };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    const name = (request.url ?? '').split(/[/?]/)[1] ?? '';
    (known[name] ?? known.ok)?.(response, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

export type Behaviour = (response: ServerResponse, body: string) => void;

const answer =
  (status: number, body = '', headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

function drip(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), 100);
  response.on('close', () => clearInterval(timer));
}

function flood(response: ServerResponse): void {
  response.writeHead(200);
  response.on('error', () => undefined);
  response.end(Buffer.alloc(5 * 1024 * 1024, 'x'));
}

const behaviours: Record<string, Behaviour> = {
  ok: answer(200, '{"id":"gw-1"}', { 'x-id': 'gw-h' }),
  accepted: answer(202, ''),
  nocontent: answer(204),
  wrongkey: answer(200, '{"messages":[{"status":"4","error-text":"Bad Credentials"}]}'),
  vonage: answer(200, '{"message-count":"1","messages":[{"status":"0","message-id":"0A000"}]}'),
  html: answer(200, '<html>maintenance</html>'),
  slowdown: answer(429, 'slow', { 'retry-after': '30' }),
  credentials: answer(401, 'no'),
  badnumber: answer(400, '{"code":21211,"message":"Invalid To"}'),
  broken: answer(500, 'oops'),
  busy: answer(503, ''),
  redirect: answer(307, '', { location: '/ok' }),
  found: answer(302, '', { location: '/ok' }),
  hang: () => undefined,
  hangbody(response) {
    response.writeHead(200, { 'x-id': 'gw-h' });
    response.flushHeaders();
  },
  cut: (response) => void response.socket?.destroy(),
  cutbody(response) {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"id":');
    setTimeout(() => response.socket?.destroy(), 50);
  },
  drip,
  flood,
  echo: (response, body) => answer(400, body)(response, body),
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
