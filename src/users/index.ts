/**
 * Users: who they are, what identifies them, their passwords, backup codes and what else they have set up.
 *
 * Owns the tables `users`, `backup_codes` and `credentials`, the rules for names and passwords, `users.yaml`, and the member
 * `passwords` of `gateway.yaml`.
 * A user name, a verified e-mail address and a verified phone number each identify at most one user; an unverified
 * one identifies nobody. Password hashes do not leave this folder.
 * Not here: throttling and locks (guard), which factor a flow asks for (flows), hashing itself (crypto).
 * Routes: none.
 */
import type { SealedColumn } from '../crypto/types.ts';
import type { Sweep } from '../storage/types.ts';

export { type AttributeDocument, attributesSection } from './attributes.ts';
export { readCodeList } from './backup-codes.ts';
export { type BreachCheck, createBreachCheck } from './breach-check.ts';
export { normalisePhone } from './identifiers.ts';
export { PasswordRefused, texts, type Weakness, weaknessText } from './password-rules.ts';
export { type UsersSectionDeps, usersSection } from './section.ts';
export { createUsers, type UsersDeps } from './service.ts';
export { type PasswordsDocument, passwordsSection } from './settings.ts';
export { type JoinedUser, joinedUser } from './store.ts';

/** What somebody began to set up and did not finish. */
export const usersSweeps: Sweep[] = [{ table: 'credentials' }];

export const usersSealed: SealedColumn[] = [
  { table: 'backup_codes', column: 'code_hash', what: 'backup codes' },
  { table: 'credentials', column: 'sealed', what: 'authenticator apps' },
];
