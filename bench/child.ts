import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A process of the bench that was told to do something, and answers over the channel between parent and child. */
export interface Child {
  pid: number;
  /** The next message from it; throws when it ends before. */
  next<T>(): Promise<T>;
  send(message: object): void;
  /** Ends it, with SIGTERM, and waits. */
  stop(): Promise<void>;
}

/** Starts a file of this folder, or one named from the project's root. */
export function startChild(
  file: string,
  options: { args?: string[]; env?: Record<string, string>; from?: string } = {},
): Child {
  const child = fork(join(options.from ?? import.meta.dirname, file), options.args ?? [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: process.env.PATH ?? '', TMPDIR: process.env.TMPDIR ?? '/tmp', ...options.env },
  });
  // A bench that is broken off leaves nobody behind.
  process.once('exit', () => child.kill());
  const early = Promise.withResolvers<never>();
  early.promise.catch(() => undefined);
  child.once('exit', (code, signal) =>
    early.reject(new Error(`${file} has ended: ${signal ?? `exit code ${code}`}`)),
  );
  return {
    pid: child.pid ?? 0,
    next: async <T>() => {
      const [message] = (await Promise.race([once(child, 'message'), early.promise])) as [unknown];
      return message as T;
    },
    send: (message) => void child.send(message),
    stop: () => stopProcess(child),
  };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
