import { Secret, TOTP } from 'otpauth';
import type { StepDocument } from '../../src/flows/documents/schema.ts';
import type { NewUser, User } from '../../src/users/types.ts';
import type { Answer, Browser, World } from './harness.ts';

/** What an authenticator app does, and people who have one. */

export const day = 24 * 60 * 60_000;

export const passwordThenApp: StepDocument[] = [
  { id: 'first', options: ['password'] },
  { id: 'second', options: ['totp', 'backup-code'], onUnavailable: 'enrol' },
];

/** Has a password and nothing else. */
export const grace: NewUser = { username: 'grace', password: 'moth in relay seventy' };
export const credentials = { username: 'grace', password: grace.password ?? '' };

export const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

export const codeAt = (
  secret: string,
  at: Date,
  members: { digits?: number; algorithm?: string } = {},
): string => TOTP.generate({ ...members, secret: Secret.fromBase32(secret), timestamp: at.getTime() });

/** Six digits that no step near `at` has. */
export function wrongCode(secret: string, at: Date): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => codeAt(secret, new Date(at.getTime() + steps * 30_000)));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code))!;
}

/** The secret as it stands on the page for typing. */
export const keyOn = ({ body }: Pick<Answer, 'body'>): string =>
  (/<code>([A-Z2-7 ]+)<\/code>/.exec(body)?.[1] ?? '').replaceAll(' ', '');

/** Gives a user an app that has {@link seed}, as if it had been set up long ago. */
export async function giveApp({ clock, storage, users }: World, user: User, data = {}): Promise<string> {
  const credential = { userId: user.id, type: 'totp', label: 'Phone', data, secret: seed };
  const added = await storage.transaction((tx) => users.credentials.add(tx, credential, null, clock.now()));
  return added.id;
}

/** A login of {@link grace} behind the password. */
export async function past(world: World, start: Parameters<World['browser']>[0] = {}): Promise<Browser> {
  const browser = await world.browser(start);
  await browser.post(credentials);
  return browser;
}

export async function resultOf({ flows, storage }: World, key: string) {
  const login = await flows.findByContinuation(storage.db, key);
  return { status: login?.status, ...login?.result };
}
