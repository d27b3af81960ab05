import { acrNames } from '../flows/index.ts';
import type { Browser } from '../flows/types.ts';
import { accountId } from './app.ts';
import type { AccountDocument } from './settings.ts';
import type { AccountDeps, Visitor } from './types.ts';

/** How long a factor counts for what is sensitive. */
export const freshMs = 10 * 60_000;

/**
 * `fresh`: two different kinds of factor, each passed within the last minutes. `alone`: the password was, and there is
 * nothing else. `due`: a sign-in is. `refused`: there is a second factor, and these pages cannot ask for it.
 */
export type Standing = 'fresh' | 'alone' | 'due' | 'refused';

export async function standingOf(
  deps: Pick<AccountDeps, 'apps' | 'delivery' | 'flows' | 'storage' | 'users'>,
  { session, user }: Visitor,
  browser: Browser,
  now: Date,
): Promise<Standing> {
  const { db } = deps.storage;
  const app = await deps.apps.find(db, accountId);
  if (!app) return 'refused';
  const asked = { session, user, app, browser, acr: [acrNames.two], maxAgeMs: freshMs };
  if (!(await deps.flows.satisfies(db, asked, now))) return 'due';
  const young = session.factors.filter(({ at }) => now.getTime() - at <= freshMs);
  if (deps.flows.describe(young).acr !== acrNames.one) return 'fresh';
  return (await hasSecondFactor(deps, user)) ? 'refused' : 'alone';
}

async function hasSecondFactor(
  { delivery, storage, users }: Pick<AccountDeps, 'delivery' | 'storage' | 'users'>,
  user: Visitor['user'],
): Promise<boolean> {
  if (user.backupCodes > 0) return true;
  if (user.phone !== null && user.phoneVerified && delivery.has('sms')) return true;
  return (await users.credentials.list(storage.db, user.id)).length > 0;
}

/** Whether it is enough for this change. */
export const allows = (
  standing: Standing,
  { enrols = false }: { enrols?: boolean },
  { enrolBy }: AccountDocument,
): boolean => standing === 'fresh' || (standing === 'alone' && (!enrols || enrolBy === 'password'));
