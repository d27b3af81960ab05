import { processVariables } from '../config/index.ts';
import type { CommandDeps } from './command.ts';
import { run } from './program.ts';

/** What the commands stand on, loaded only when one of them needs it. */
const deps: CommandDeps = {
  variables: processVariables,
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  createContext: async (environment) => (await import('../app.ts')).createContext(environment),
  createSections: async (environment) => (await import('../app.ts')).createSections(environment),
  examine: async (environment) => (await import('../doctor.ts')).examine(environment),
  start: async (environment) => (await import('../server.ts')).serve(environment),
  serve: async (environment) => (await import('../server.ts')).serveProcess(environment),
};

/** Runs one command. A failure ends the process, also when a half-started server still holds something open. */
export async function main(args: string[]): Promise<void> {
  const code = await run(args, deps);
  if (code !== 0) process.exit(code);
}
