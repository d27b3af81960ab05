/**
 * Users: who they are, what identifies them, their passwords and backup codes.
 *
 * Owns the tables `users` and `backup_codes`, the rules for names and passwords, `users.yaml`, and the member
 * `passwords` of `gateway.yaml`.
 * A user name, a verified e-mail address and a verified phone number each identify at most one user; an unverified
 * one identifies nobody. Password hashes do not leave this folder.
 * Not here: throttling and locks (guard), which factor a flow asks for (flows), hashing itself (crypto).
 * Routes: none.
 */
import type { SealedColumn } from '../crypto/types.ts';

export { readCodeList } from './backup-codes.ts';
export { type BreachCheck, createBreachCheck } from './breach-check.ts';
export { normalisePhone } from './identifiers.ts';
export { type UsersSectionDeps, usersSection } from './section.ts';
export { createUsers, type UsersDeps } from './service.ts';
export { type PasswordsDocument, passwordsSection } from './settings.ts';
export { type JoinedUser, joinedUser } from './store.ts';

export const usersSealed: SealedColumn[] = [
  { table: 'backup_codes', column: 'code_hash', what: 'backup codes' },
];
