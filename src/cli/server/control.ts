import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { ConfigurationError } from '../../config/index.ts';
import type { Fault } from '../../lib/problem.ts';
import { CommandFailure } from '../command.ts';

/**
 * Has the running server of the embedded database do a command, over the socket in its data folder. Throws
 * ConfigurationError with the faults it answers, and CommandFailure when it refuses or cannot be reached.
 */
export async function askServer<T>(socketPath: string, command: string, input: unknown): Promise<T> {
  const { status, body } = await post(socketPath, `/${command}`, JSON.stringify(input));
  if (status === 200) return JSON.parse(body) as T;
  const answer = JSON.parse(body) as { message: string; errors?: Fault[] };
  if (answer.errors?.length) throw new ConfigurationError(answer.errors);
  throw new CommandFailure(`The running server says: ${answer.message}`);
}

function post(socketPath: string, path: string, input: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(input) };
    const outgoing = request({ socketPath, path, method: 'POST', headers }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 500, body }), reject);
    });
    outgoing.on('error', (error) => {
      const reason = (error as NodeJS.ErrnoException).code ?? error.message;
      reject(
        new CommandFailure(
          `The server that holds the database does not answer on ${socketPath} (${reason}).`,
        ),
      );
    });
    outgoing.end(input);
  });
}
