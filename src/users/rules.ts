import { demoCredentials } from '../config/index.ts';
import type { Passwords } from '../crypto/types.ts';
import type { Fault } from '../lib/problem.ts';
import { faultsOfCodes } from './backup-codes.ts';
import { fold, looksLikeEmail, looksLikePhone, normalisePhone } from './identifiers.ts';
import { faultOfPassword } from './password-rules.ts';
import type { NewUser } from './types.ts';

const maximumName = 128;
const email = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/u;
const noNumber = 'is no phone number in international form, such as "+491701234567" (in quotes)';
const invisible = /[\p{C}\p{Z}]/u;

function faultOfUsername(username: string): string | null {
  const length = [...username].length;
  if (length === 0 || length > maximumName) return `must have 1 to ${maximumName} characters`;
  if (invisible.test(username)) return 'may hold no spaces and no invisible characters';
  if (looksLikeEmail(username))
    return 'may not look like an e-mail address: a verified address signs in by itself';
  if (looksLikePhone(fold(username)))
    return 'may not look like a phone number: a verified number signs in by itself';
  return null;
}

function faultOfSecond({ phone, phoneVerified = false, secondPhone }: NewUser): string | null {
  if (secondPhone === undefined) return null;
  const number = normalisePhone(secondPhone);
  if (number === null) return noNumber;
  if (phone === undefined || !phoneVerified) return 'stands beside a first number: give `phone`, too';
  return number === normalisePhone(phone) ? 'is the first number once more' : null;
}

/**
 * Everything that is wrong with a new user, whoever else exists. Paths are the members of the document.
 * @param aloneIn ids of flows in which the password is the user's only factor.
 */
export function faultsOf(
  user: NewUser,
  { passwords, demo }: { passwords: Passwords; demo: boolean },
  aloneIn: string[] = [],
): Fault[] {
  const faults: Fault[] = [];
  const add = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message });
  };
  add('username', faultOfUsername(user.username));
  if (user.email !== undefined && !email.test(user.email)) add('email', 'is no e-mail address');
  if (user.phone !== undefined && normalisePhone(user.phone) === null) {
    add('phone', noNumber);
  }
  add('secondPhone', faultOfSecond(user));
  if (user.password !== undefined && user.passwordHash !== undefined) {
    add('passwordHash', 'stands beside a password: give one of the two');
  }
  if (user.password !== undefined) {
    const own = [user.username, ...(user.email === undefined ? [] : [user.email])];
    add('password', faultOfPassword(user.password, { own, demo, aloneIn }));
  }
  if (user.passwordHash !== undefined) add('passwordHash', passwords.faultOf(user.passwordHash));
  faults.push(
    ...faultsOfCodes(user.backupCodes ?? [], demo ? [] : demoCredentials.backupCodes, 'backupCodes'),
  );
  return faults;
}
