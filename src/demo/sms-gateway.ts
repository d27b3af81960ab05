import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedMessage {
  to: string;
  text: string;
}

/** A local SMS gateway: accepts `POST /send` with JSON `{to, text}` and remembers what came. */
export interface SmsGateway {
  url: string;
  received: ReceivedMessage[];
  /** The next message for the number, the present ones included; rejects after `timeoutMs`. Each is handed out once. */
  next(to: string, timeoutMs: number): Promise<ReceivedMessage>;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function messageOf(body: string): ReceivedMessage | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || !('to' in value) || !('text' in value))
      return undefined;
    return typeof value.to === 'string' && typeof value.text === 'string'
      ? { to: value.to, text: value.text }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Starts the gateway on a free port of the loopback interface. */
export async function startSmsGateway(): Promise<SmsGateway> {
  const received: ReceivedMessage[] = [];
  const taken = new Set<ReceivedMessage>();
  const server = createServer(async (request, response) => {
    const message =
      request.url === '/send' && request.method === 'POST' ? messageOf(await bodyOf(request)) : undefined;
    response.setHeader('content-type', 'application/json');
    if (message === undefined) {
      response.statusCode = 400;
      response.end('{"error":"expected POST /send with JSON {to, text}"}');
      return;
    }
    received.push(message);
    response.statusCode = 202;
    response.end(JSON.stringify({ id: `m${received.length}` }));
    server.emit('message');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/send`,
    received,
    async next(to, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      for (;;) {
        const found = received.find((message) => message.to === to && !taken.has(message));
        if (found !== undefined) {
          taken.add(found);
          return found;
        }
        await once(server, 'message', { signal });
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
