import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { Problem } from '../lib/problem.ts';
import { ConfigurationError } from './errors.ts';
import type { Configuration, Documents } from './types.ts';

/** What the command line may ask of a running server, by name. Input and answer are plain JSON. */
export type Commands = Record<string, (input: unknown) => Promise<unknown>>;

const largestInput = 16 * 1024 * 1024;

/** Commands on configuration. The documents come read and resolved: the server never opens a file for a caller. */
export function configurationCommands(configuration: Configuration): Commands {
  const read = (input: unknown) => input as { documents: Documents; prune: boolean };
  return {
    'config/check': (input) => configuration.check(read(input).documents, { prune: read(input).prune }),
    'config/diff': (input) => configuration.diff(read(input).documents),
    'config/apply': (input) => configuration.apply(read(input).documents, { prune: read(input).prune }),
    'config/export': () => configuration.export(),
  };
}

/**
 * Answers `POST /<command>` on a Unix socket that only the owner of the data folder can open: with the embedded
 * database no second process may hold the folder. Call it only while holding the folder's lock, because a socket
 * left behind by a killed process is replaced.
 */
export async function startControl(options: {
  socketPath: string;
  commands: Commands;
}): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(options.commands, request, response);
  });
  mkdirSync(dirname(options.socketPath), { recursive: true, mode: 0o700 });
  rmSync(options.socketPath, { force: true });
  await listen(server, options.socketPath);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The socket is made within the call, so only that moment needs the narrower mask. */
async function listen(server: Server, socketPath: string): Promise<void> {
  const listening = once(server, 'listening');
  const umask = process.umask(0o177);
  try {
    server.listen(socketPath);
  } finally {
    process.umask(umask);
  }
  await listening;
}

async function answer(commands: Commands, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = request.url?.slice(1) ?? '';
  try {
    if (request.method !== 'POST' || !Object.hasOwn(commands, name))
      return send(response, 404, { message: 'unknown command' });
    send(response, 200, (await commands[name]?.(await readJson(request))) ?? null);
  } catch (error) {
    const errors =
      error instanceof ConfigurationError ? error.faults : error instanceof Problem ? error.errors : [];
    send(response, errors.length > 0 ? 422 : 500, { message: (error as Error).message, errors });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestInput)
      throw new Problem({ status: 413, code: 'too_large', message: 'The documents are too large.' });
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
