import type { Candidate, CollectionSection, Loaded } from '../config/types.ts';
import type { Passwords } from '../crypto/types.ts';
import { type Static, Type } from '../lib/schema.ts';
import { attributeFaults } from './attributes.ts';
import { readCodeList } from './backup-codes.ts';
import { fold } from './identifiers.ts';
import { previewOf } from './rows.ts';
import { faultsOf } from './rules.ts';
import type { PasswordsDocument } from './settings.ts';
import { usernameExists } from './store.ts';
import type { NewUser, User, Users } from './types.ts';

const schema = Type.Object(
  {
    username: Type.String({
      description: 'What the person types. Neither an e-mail address nor a phone number.',
    }),
    name: Type.Optional(Type.String({ maxLength: 200 })),
    email: Type.Optional(
      Type.String({ description: 'Counts as verified: whoever writes this file vouches for it.' }),
    ),
    phone: Type.Optional(
      Type.String({ description: 'In international form and in quotes. Counts as verified.' }),
    ),
    secondPhone: Type.Optional(
      Type.String({ description: 'Another one, for when the first is not at hand. Counts as verified.' }),
    ),
    password: Type.Optional(
      Type.String({ description: 'In clear, best as a reference; stored only as a hash.' }),
    ),
    passwordHash: Type.Optional(
      Type.String({ description: 'An imported hash: argon2, bcrypt, scrypt, PBKDF2 or salted SHA.' }),
    ),
    backupCodes: Type.Optional(
      Type.Union([Type.Array(Type.String()), Type.String()], {
        description: 'A list, or the codes in one string with commas between them. Any length each.',
      }),
    ),
    codeOff: Type.Optional(
      Type.Boolean({ description: 'The person does not want codes by message.', default: false }),
    ),
    groups: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    attributes: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: false },
);

type UserDocument = Static<typeof schema>;

export interface UsersSectionDeps {
  users: Users;
  passwords: Passwords;
  demo: boolean;
  /** Ids of the flows that some app uses and that this user, out of backup codes, could finish by the password alone. */
  passwordAlone(candidate: Candidate, user: User): string[];
}

/** `users.yaml`: creates the users that are absent, and never touches one that is there. */
export function usersSection(deps: UsersSectionDeps): CollectionSection {
  return {
    kind: 'collection',
    member: 'users',
    schema,
    createOnly: true,
    idOf: (item) => String(item.username),
    check(item, candidate) {
      const user = newUserOf(item);
      const aloneIn = user.password === undefined ? [] : deps.passwordAlone(candidate, previewOf(user));
      return [...faultsOf(user, deps, aloneIn), ...attributeFaults(user.attributes ?? {}, candidate)];
    },
    list: async () => new Map(),
    same: (db, item) => usernameExists(db, fold(newUserOf(item).username)),
    async prepare(item, candidate) {
      const rules = candidate.setting('passwords') as PasswordsDocument;
      return { raw: item.raw, resolved: { ...(await deps.users.prepare(newUserOf(item), rules)) } };
    },
    async save(tx, item, _position, now) {
      await deps.users.create(tx, newUserOf(item), now);
    },
    async remove() {
      throw new Error('users are never removed by configuration');
    },
  };
}

function newUserOf(item: Loaded): NewUser {
  const { backupCodes, ...document } = item.resolved as UserDocument;
  return {
    ...document,
    emailVerified: document.email !== undefined,
    phoneVerified: document.phone !== undefined,
    ...(backupCodes === undefined ? {} : { backupCodes: readCodeList(backupCodes) }),
  };
}
