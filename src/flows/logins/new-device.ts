import type { Audit } from '../../audit/types.ts';
import type { DraftedNotice, Notices } from '../../notices/types.ts';
import { deviceOf } from '../../sessions/index.ts';
import type { Storage } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { Advance } from '../engine/state.ts';
import type { Methods } from '../method.ts';
import type { LoginRow } from '../store.ts';
import type { Submission } from './submit.ts';

interface NewDeviceDeps {
  storage: Storage;
  audit: Audit;
  methods: Methods;
  /** Absent: nobody is told of anything. */
  notices?: Notices | undefined;
}

const nothing: DraftedNotice = { riders: [], send: () => undefined };
const ever = new Date(0);

/**
 * Tells a user of a login that is about to finish in a browser where they never signed in before; not of the very first
 * one of an account. By another channel than the code of this login came by: who reads that one knows already. Reads
 * nothing where there is no other.
 */
export async function newDeviceNotice(
  { audit, methods, notices, storage }: NewDeviceDeps,
  { row, submission, user }: { row: LoginRow; submission: Submission; user: User | null },
  { next, state }: Advance,
  now: Date,
): Promise<DraftedNotice> {
  const signsIn = next.is === 'finish' && row.continuation.kind !== 'recovery';
  if (!notices || !signsIn || !user || submission.deviceOf(user.id) !== null) return nothing;
  const used = state.passed.map(({ method }) => methods.get(method)?.channel ?? null);
  const notTo = used.find((channel) => channel !== null);
  const { ip, userAgent } = submission;
  const device = deviceOf(userAgent);
  const said = [device.browser, device.system].filter((part) => part !== null).join(', ');
  const notice = {
    ...{ kind: 'new-device' as const, values: { device: said || '?' }, locale: row.locale, ip },
    ...(notTo && { notTo }),
  };
  if (!notices.reaches(user, notice)) return nothing;
  const wish = { names: ['session.created'], since: ever, before: null, limit: 1 };
  if ((await audit.history(storage.db, user.id, wish)).length === 0) return nothing;
  return notices.drafting(storage.db, user, notice, now);
}
