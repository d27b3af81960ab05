import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';

/**
 * A reverse proxy as nginx is one with `proxy_next_upstream error`, which is its default. It asks the next instance
 * where no connection came about, since nothing was sent then; and it repeats a GET whose connection broke before the
 * first byte of the answer, since that may be repeated (RFC 9110, section 9.2.2). It does not repeat a POST that was
 * sent: the instance may have served it. So a stop that cuts connections which requests are on their way to, new ones or
 * idle ones, fails behind this proxy as it does behind any other.
 */
export interface Proxy {
  /** What went wrong between proxy and instances, and reached whoever asked. */
  faults: string[];
  /** Connections that did not come about, and were asked for elsewhere. */
  retried(): number;
  /** GETs that broke off, and were asked for elsewhere. */
  repeated(): number;
}

/** Uses its connections to the instances again; listens on `port` of the loopback interface. */
export async function startProxy(t: Test, port: number, instances: number[]): Promise<Proxy> {
  const faults: string[] = [];
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  let retried = 0;
  let repeated = 0;

  const pass = (
    instance: number,
    left: number,
    incoming: IncomingMessage,
    body: Buffer,
    outgoing: ServerResponse,
  ): void => {
    const options = {
      ...{ host: '127.0.0.1', port: instances[instance % instances.length], agent },
      ...{ method: incoming.method, path: incoming.url },
      headers: { ...incoming.headers, connection: 'keep-alive' },
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
      const connected = error.syscall !== 'connect';
      if (left > 0 && (!connected || (incoming.method === 'GET' && !outgoing.headersSent))) {
        if (connected) repeated += 1;
        else retried += 1;
        pass(instance + 1, left - 1, incoming, body, outgoing);
        return;
      }
      const connection = upstream.reusedSocket ? 'used' : 'new';
      faults.push(`${incoming.method} ${error.message}, on a ${connection} connection`);
      if (!outgoing.headersSent) outgoing.writeHead(502).end();
    });
    upstream.end(body);
  };

  const server = createServer(async (incoming, outgoing) => {
    turn += 1;
    pass(turn, instances.length - 1, incoming, await buffer(incoming), outgoing);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  return { faults, retried: () => retried, repeated: () => repeated };
}
