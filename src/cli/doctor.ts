import { Command } from 'commander';
import { readEnvironment } from '../config/index.ts';
import type { Finding } from '../doctor.ts';
import { DataDirInUse } from '../storage/index.ts';
import { type CommandDeps, CommandFailure } from './command.ts';
import { askServer } from './server/control.ts';

const marks = { ok: 'ok     ', warning: 'warning', error: 'ERROR  ' } as const;

export const doctorCommand = (deps: CommandDeps): Command =>
  new Command('doctor')
    .description('look at database, clock, keys, providers, cookies and issuer, and say what to mend')
    .action(async () => {
      const findings = await examine(deps);
      for (const { level, about, says } of findings) {
        deps.write(`${marks[level]}  ${about.padEnd(9)}  ${says}\n`);
      }
      const errors = findings.filter(({ level }) => level === 'error').length;
      if (errors > 0)
        throw new CommandFailure(errors === 1 ? '1 thing to mend.' : `${errors} things to mend.`);
    });

/** The embedded database can be looked at by the server that holds it only. */
async function examine(deps: CommandDeps): Promise<Finding[]> {
  try {
    return await deps.examine(readEnvironment(deps.variables));
  } catch (error) {
    if (!(error instanceof DataDirInUse) || error.socket === null) throw error;
    return askServer(error.socket, 'doctor', {});
  }
}
