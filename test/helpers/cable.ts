import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { freePort } from './port.ts';

/** A relay in front of the database, whose cable can be pulled. */
export interface Cable {
  /** The database by way of the relay. */
  url: string;
  plug(): Promise<void>;
  pull(): Promise<void>;
}

export async function createCable(t: Test, databaseUrl: string): Promise<Cable> {
  const target = new URL(databaseUrl);
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
      one.pipe(other);
    }
  });
  const plug = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const pull = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await plug();
  t.teardown(async () => {
    if (server.listening) await pull();
  });
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, plug, pull };
}
