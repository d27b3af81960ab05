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
  secondPhone: row.second_phone,
  ...codeSwitch(row, now),
  disabled: row.disabled_at !== null,
  recoveredAt: row.recovered_at,
  recoveredBy: row.recovered_by as User['recoveredBy'],
  deleteAt: row.delete_at,
  groups: row.groups,
  attributes: row.attributes,
  createdAt: row.created_at,
  hasPassword: row.password_hash !== null,
  passwordChangedAt: row.password_changed_at,
  backupCodes: row.unused_codes,
});

/** Off until a moment that has passed is on. */
function codeSwitch({ code_off: off, code_off_until: until }: UserRead, now: Date) {
  const codeOff = off && (until === null || until > now);
  return { codeOff, codeOffUntil: codeOff ? until : null };
}

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
  second_phone: user.secondPhone === undefined ? null : normalisePhone(user.secondPhone),
  password_hash: user.passwordHash ?? null,
  password_changed_at: user.passwordHash === undefined ? null : now,
  code_off: user.codeOff ?? false,
  code_off_until: null,
  disabled_at: null,
  recovered_at: null,
  recovered_by: null,
  delete_at: null,
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
