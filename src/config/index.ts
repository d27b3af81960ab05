/**
 * Configuration: the process environment, the files of `CONFIG_DIR`, and the settings in force.
 *
 * Owns the tables `settings` and `setting_secrets`, references (`${env:…}`, `${file:…}`), the reading and judging of files, and the way
 * from files to the database and back. What a file may say belongs to the feature that it configures: each hands in
 * a section with its schema, its checks and its own storing, and nothing here knows any of them.
 * Afterwards the database is the truth; files are applied at the start only to an empty one.
 * Not here: the console and the API that edit configuration, the commands that call this (cli).
 * Routes: none over the network; `control.ts` answers the command line on a socket of the data folder.
 */
export { validateFolder } from './checks.ts';
export { type Commands, configurationCommands, startControl } from './control.ts';
export { demoCredentials } from './demo-credentials.ts';
export { createReader, type Reader } from './documents.ts';
export { processVariables, readEnvironment } from './environment.ts';
export { ConfigurationError } from './errors.ts';
export { createReferences, hasReference, stored } from './references.ts';
export { loadOrCreateSecretKey } from './secret-keys.ts';
export { type ConfigurationDeps, createConfiguration } from './service.ts';
export { createSettings, gatewaySections, type LiveSettings } from './settings.ts';
export { publishedSchema } from './validation/schema.ts';
export { type Check, createCheck, createValidator, type Validator } from './validation/validator.ts';

/** Sealed by the sections that have secrets. */
export const settingsSealed = [
  {
    table: 'setting_secrets',
    column: 'sealed',
    what: 'settings with secrets',
    opens: { purpose: 'setting' as const, context: 'section' },
  },
];
