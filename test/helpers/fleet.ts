import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

/** One of several processes that run the same script. */
export interface Member {
  process: ChildProcess;
  /** The next line that it writes. */
  line(): Promise<string>;
}

/** Starts a script so many times, and waits until each process has written `ready`. They end with the test. */
export async function startFleet(t: Test, n: number, entry: string, args: string[]): Promise<Member[]> {
  const members = Array.from({ length: n }, () => startMember(t, entry, args));
  for (const member of members) {
    const line = await member.line();
    if (line !== 'ready') throw new Error(`a process began with “${line}”`);
  }
  return members;
}

/** Lets all of them begin at once. */
export function beginAll(members: Member[]): void {
  for (const { process } of members) process.stdin?.write('go\n');
}

export const allEnded = (members: Member[]): Promise<unknown> =>
  Promise.all(
    members.map(({ process }) => (process.exitCode === null ? once(process, 'exit') : Promise.resolve())),
  );

function startMember(t: Test, entry: string, args: string[]): Member {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    process: child,
    async line() {
      const next = await lines.next();
      return next.done ? '(nothing more)' : next.value;
    },
  };
}
