import type { DraftedNotice, NewNotice, Notices } from '../../notices/types.ts';
import type { Storage } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { Pass } from '../method.ts';
import type { LoginRow } from '../store.ts';
import type { Submission } from './submit.ts';

const nothing: DraftedNotice = { riders: [], send: () => undefined };

/**
 * Tells a user that one of their backup codes is being used, and how many remain; or that something to sign in with was
 * set up, which who has stolen the password can do, too. What is told of is not where it is told: a number that is being
 * proved is not the user's yet.
 */
export async function factorNotice(
  { notices, storage }: { storage: Storage; notices?: Notices | undefined },
  { row, submission, user }: { row: LoginRow; submission: Submission; user: User | null },
  pass: Pass | null,
  now: Date,
): Promise<DraftedNotice> {
  const about = user && noticeOf(pass, user);
  if (!notices || !about) return nothing;
  const notice = { ...about, locale: row.locale, ip: submission.ip };
  return notices.drafting(storage.db, user, notice, now);
}

function noticeOf(pass: Pass | null, user: User): Pick<NewNotice, 'kind' | 'values'> | null {
  const has = (event: string) => pass?.events?.some(({ name }) => name === event) === true;
  if (has('backup_codes.used')) {
    return { kind: 'backup-code-used', values: { count: Math.max(0, user.backupCodes - 1) } };
  }
  return has('user.factor_added') ? { kind: 'factor-added' } : null;
}
