import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * Stands between a gateway and PostgreSQL and counts what is executed, by reading the protocol's frontend messages
 * (PostgreSQL, Frontend/Backend Protocol, Message Formats). So the gateway itself needs nothing for it.
 */
export interface StatementCounter {
  /** The URL for the gateway. */
  url: string;
  /** How often each text was executed since the last call. */
  take(): Map<string, number>;
  close(): Promise<void>;
}

export async function startStatementCounter(databaseUrl: string): Promise<StatementCounter> {
  const target = new URL(databaseUrl);
  let counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    const read = createReader((text) => void counts.set(text, (counts.get(text) ?? 0) + 1));
    client.on('data', read);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    take() {
      const taken = counts;
      counts = new Map();
      return taken;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Follows one connection's stream from the frontend. */
function createReader(executed: (text: string) => void): (chunk: Buffer) => void {
  const texts = new Map<string, string>();
  const portals = new Map<string, string>();
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  let begun = false;

  const message = (type: string, body: Buffer) => {
    const [first = '', second = ''] = body.toString('utf8').split('\0', 2);
    if (type === 'Q') executed(first);
    if (type === 'P') texts.set(first, second);
    if (type === 'B') portals.set(first, texts.get(second) ?? second);
    if (type === 'E') executed(portals.get(first) ?? first);
  };

  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      // The first message of a connection has no type.
      const head = begun ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readUInt32BE(head);
      if (rest.length < end) return;
      if (begun) message(String.fromCharCode(rest[0] ?? 0), rest.subarray(5, end));
      begun = true;
      rest = rest.subarray(end);
    }
  };
}
