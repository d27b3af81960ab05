import type { DraftedNotice, Notices } from '../../notices/types.ts';
import type { Storage } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { Pass } from '../method.ts';
import type { LoginRow } from '../store.ts';
import type { Submission } from './submit.ts';

const nothing: DraftedNotice = { riders: [], send: () => undefined };

/** Tells a user that one of their backup codes is being used, and how many remain. */
export async function backupCodeNotice(
  { notices, storage }: { storage: Storage; notices?: Notices | undefined },
  { row, submission, user }: { row: LoginRow; submission: Submission; user: User | null },
  pass: Pass | null,
  now: Date,
): Promise<DraftedNotice> {
  const used = pass?.events?.some(({ name }) => name === 'backup_codes.used');
  if (!notices || !used || !user) return nothing;
  const values = { count: Math.max(0, user.backupCodes - 1) };
  const notice = { kind: 'backup-code-used' as const, values, locale: row.locale, ip: submission.ip };
  return notices.drafting(storage.db, user, notice, now);
}
