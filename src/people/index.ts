/**
 * What is done to an account as a whole, whoever does it: a forgotten password is replaced, an administrator resets,
 * switches off, unlocks or removes an account or changes how its owner signs in, its owner takes a copy of what is kept of
 * them, or has it deleted.
 *
 * Owns the table `recovery_links`. What an account has opened is ended here in one place, for every reason alike.
 * Not here: the codes and pages of a forgotten password (flows), the pages on which people look after themselves
 * (account), what a user is (users).
 *
 * Routes: GET and POST /reset/:token, GET /reset/done.
 */
import type { Sweep } from '../storage/types.ts';

export { type AccessDeps, createAccess } from './access.ts';
export { type DeletionDeps, deleteDue } from './deletion.ts';
export { createPeopleDesk, type PeopleDesk, peopleCommands } from './desk.ts';
export { exportData } from './export.ts';
export { createRecovery } from './recovery.ts';
export { linkRoutes } from './routes.ts';
export { texts } from './texts.ts';
export type { EndAccess } from './types.ts';

export const peopleSweeps: Sweep[] = [{ table: 'recovery_links' }];
