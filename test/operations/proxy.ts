import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';

/** A reverse proxy that tries the next instance where a connection was refused, and does nothing else clever. */
export interface Proxy {
  /** What went wrong between proxy and instances, other than a refused connection. */
  faults: string[];
  /** Connections that were refused, and asked for elsewhere. */
  retried(): number;
}

/** One connection for each request, as nginx does by default; listens on `port` of the loopback interface. */
export async function startProxy(t: Test, port: number, instances: number[]): Promise<Proxy> {
  const faults: string[] = [];
  let turn = 0;
  let retried = 0;

  const pass = (
    first: number,
    incoming: IncomingMessage,
    body: Buffer,
    outgoing: ServerResponse,
    left: number,
  ): void => {
    const options = {
      ...{ host: '127.0.0.1', port: instances[(first + left) % instances.length], agent: false },
      ...{ method: incoming.method, path: incoming.url },
      headers: { ...incoming.headers, connection: 'close' },
    };
    const upstream = request(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'keep-alive' });
      answer.on('error', (error) => {
        faults.push(`${incoming.method} answer cut: ${error.message}`);
        outgoing.destroy();
      });
      answer.pipe(outgoing);
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && left > 0) {
        retried += 1;
        pass(first, incoming, body, outgoing, left - 1);
        return;
      }
      faults.push(`${incoming.method} ${error.message}`);
      outgoing.writeHead(502).end();
    });
    upstream.end(body);
  };

  const server = createServer(async (incoming, outgoing) => {
    turn += 1;
    pass(turn, incoming, await buffer(incoming), outgoing, instances.length);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { faults, retried: () => retried };
}
