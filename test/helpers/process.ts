import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';

export interface Instance {
  port: number;
  process: ChildProcess;
}

const standardEntry = new URL('../../src/cli/sallyport.js', import.meta.url).pathname;

/** A gateway as people run it: a process of its own. */
export async function startProcess(
  t: Test,
  env: Record<string, string>,
  options: { entry?: string; cwd?: string; uid?: number; gid?: number } = {},
): Promise<Instance> {
  const { entry = standardEntry, ...rest } = options;
  const child = spawn(process.execPath, [entry, 'serve'], {
    ...rest,
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).resume();
  const port = Number(env.PORT);
  for (let tries = 0; tries < 600; tries += 1) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (r) => r.ok,
      () => false,
    );
    if (ready) return { port, process: child };
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    await delay(50);
  }
  throw new Error('the gateway did not become ready');
}
