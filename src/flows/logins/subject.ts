import type { User } from '../../users/types.ts';
import type { Services } from '../method.ts';
import type { LoginRow } from '../store.ts';

/**
 * Under what is counted and told of this login's subject: its account once a factor was passed, before that the name as
 * typed, so that names with and without an account, or with the same one, cannot be told apart.
 */
export function subjectKeyOf(
  services: Services,
  row: Pick<LoginRow, 'id' | 'state'>,
  user: User | null,
): string | null {
  const { crypto, guard, users } = services;
  const name = row.state.subject?.name;
  if (user && (row.state.proved || name == null)) return guard.subjectKey(user.id);
  return name == null
    ? null
    : guard.subjectKey(users.normaliseIdentifier(crypto.open('identifier', name, row.id)));
}

/** The name that stands for the user on the pages of this login, as typed. */
export const nameOf = ({ crypto }: Services, { id, state }: Pick<LoginRow, 'id' | 'state'>): string | null =>
  state.subject?.name == null ? null : crypto.open('identifier', state.subject.name, id);
