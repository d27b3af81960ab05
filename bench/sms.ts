import { once } from 'node:events';
import { createServer } from 'node:http';

/** The mock gateway that codes are sent to: each message is handed to whoever waits for its number. */
export async function startSms() {
  const waiting = new Map<string, (code: string) => void>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { to, text } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { to: string; text: string };
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"id":"m"}');
    waiting.get(to)?.(/#(\d+)$/.exec(text)?.[1] ?? '');
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/send`,
    /** The code of the next message to the number. Called before it is sent. */
    code: (to: string) => new Promise<string>((resolve) => waiting.set(to, resolve)),
  };
}
