import type { Fault } from '../lib/problem.ts';

/** The environment or the configuration files are wrong: everything that was found, each with its place. */
export class ConfigurationError extends Error {
  readonly faults: Fault[];

  constructor(faults: Fault[]) {
    super(faults.map((fault) => `${fault.path}: ${fault.message}`).join('\n'));
    this.name = 'ConfigurationError';
    this.faults = faults;
  }
}
