import type { Audit } from '../audit/types.ts';
import { after } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import type { Tx } from '../storage/types.ts';
import { readCodeList } from '../users/index.ts';
import type { User, Users } from '../users/types.ts';
import type { EndAccess } from './types.ts';

/*
 * What administrators change of how somebody signs in. As when its owner does it, whatever the account has open ends:
 * it was opened by what was true before.
 */

export interface ChangeDeps {
  audit: Audit;
  users: Users;
  endAccess: EndAccess;
}

export interface CodesSet {
  username: string;
  count: number;
  /** How many of them can be guessed in fewer than 50 bits. */
  short: number;
  /** Those that were made here, to be shown once; null: they were given. */
  made: string[] | null;
}

/** @param given codes with commas between them; null: ten are made. Throws Problem 400. */
export async function setCodes(
  { audit, endAccess, users }: ChangeDeps,
  tx: Tx,
  user: User,
  { by, given }: { by: string; given: string | null },
  now: Date,
): Promise<CodesSet> {
  const { backupCodes } = users;
  const codes = given === null ? null : readCodeList(given);
  const errors = codes === null ? [] : backupCodes.faults(codes);
  if (errors.length > 0) {
    throw new Problem({
      ...{ status: 400, code: 'invalid_request', message: 'These are no backup codes.' },
      errors,
    });
  }
  const made = codes === null ? await backupCodes.create(tx, user.id, now) : null;
  const kept =
    codes === null
      ? { count: made?.length ?? 0, short: 0 }
      : await backupCodes.replace(tx, user.id, codes, now);
  await endAccess(tx, user.id, 'factors-changed', now);
  const event = { name: 'backup_codes.created', subject: user.id, actor: by, data: { ...kept } };
  await audit.record(tx, now, [event]);
  return { username: user.username, ...kept, made };
}

const dayMs = 24 * 60 * 60_000;

/** @param until the last day on which it is off, as `2026-12-31` in UTC; null: until it is switched on. Throws Problem 400. */
export async function switchCode(
  { audit, endAccess, users }: ChangeDeps,
  tx: Tx,
  user: User,
  { by, off, until }: { by: string; off: boolean; until: string | null },
  now: Date,
): Promise<{ username: string; changed: boolean }> {
  const end = until === null ? null : endOf(until, now);
  const same = user.codeOff === off && user.codeOffUntil?.getTime() === end?.getTime();
  if (same) return { username: user.username, changed: false };
  await users.setCodeOff(tx, user.id, off, end, now);
  await endAccess(tx, user.id, 'factors-changed', now);
  const data = off ? { until: end?.toISOString() ?? null } : {};
  const name = off ? 'user.code_off' : 'user.code_on';
  await audit.record(tx, now, [{ name, subject: user.id, actor: by, data }]);
  return { username: user.username, changed: true };
}

/** The moment at which the day is over. */
function endOf(day: string, now: Date): Date {
  const start = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  const isDay = !Number.isNaN(start) && new Date(start).toISOString().startsWith(day);
  if (isDay && start + dayMs > now.getTime()) return after(new Date(start), dayMs);
  const message = `“${day}” is no day to come such as 2026-12-31`;
  throw new Problem({
    ...{ status: 400, code: 'invalid_request', message },
    errors: [{ path: 'until', message }],
  });
}
