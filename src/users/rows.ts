import { fold, normalisePhone } from './identifiers.ts';
import type { UserRead, UserRow } from './store.ts';
import type { NewUser, User } from './types.ts';

/** A row as others see it. */
export const userOf = (row: UserRead, now: Date): User => ({
  id: row.id,
  username: row.username,
  name: row.name,
  email: row.email,
  emailVerified: row.email_verified,
  phone: row.phone,
  phoneVerified: row.phone_verified,
  codeOff: row.code_off && (row.code_off_until === null || row.code_off_until > now),
  disabled: row.disabled_at !== null,
  groups: row.groups,
  attributes: row.attributes,
  hasPassword: row.password_hash !== null,
  backupCodes: row.unused_codes,
});

/** The row of a new user. A password in clear leaves no trace in it: it must have been hashed before. */
export const rowOf = (user: NewUser, id: string, now: Date): UserRow => ({
  id,
  username: user.username,
  username_key: fold(user.username),
  name: user.name ?? null,
  email: user.email ?? null,
  email_key: user.email === undefined ? null : fold(user.email),
  email_verified: user.email !== undefined && (user.emailVerified ?? false),
  phone: user.phone === undefined ? null : normalisePhone(user.phone),
  phone_verified: user.phone !== undefined && (user.phoneVerified ?? false),
  password_hash: user.passwordHash ?? null,
  password_changed_at: user.passwordHash === undefined ? null : now,
  code_off: user.codeOff ?? false,
  code_off_until: null,
  disabled_at: null,
  groups: user.groups ?? [],
  attributes: user.attributes ?? {},
  created_at: now,
  updated_at: now,
});

const anyTime = new Date(0);

/** What {@link userOf} will answer once the user is saved, but for the id. */
export const previewOf = (user: NewUser): User => ({
  ...userOf({ ...rowOf(user, '', anyTime), unused_codes: user.backupCodes?.length ?? 0 }, anyTime),
  hasPassword: user.password !== undefined || user.passwordHash !== undefined,
});
