import { readFileSync } from 'node:fs';
import { demoCredentials } from '../config/index.ts';
import { fold } from './identifiers.ts';

/**
 * In code points after NFC (NIST SP 800-63B-4, section 3.1.1.2): at least 15 for a password that is the only factor, at
 * least 8 beside another one, and no composition rules.
 */
const minimumLength = 8;
const minimumLengthAlone = 15;
const maximumLength = 256;

export const stolen = 'This password appears in lists of stolen passwords. Choose another one.';

let common: Set<string> | undefined;

/** Passwords that every list of guesses begins with; read on first use. */
function commonPasswords(): Set<string> {
  common ??= new Set(
    readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
      .split('\n')
      .filter(Boolean),
  );
  return common;
}

export interface PasswordContext {
  /** What the person is called (user name, address): a password may not be just that. */
  own: string[];
  demo: boolean;
  /** Ids of flows that this password alone gets the person through. Default: none. */
  aloneIn?: string[];
}

/** Why a new password is refused, as a sentence for the person who chose it, or null. */
export function faultOfPassword(password: string, context: PasswordContext): string | null {
  const { own, demo, aloneIn = [] } = context;
  const normalised = password.normalize('NFC');
  const length = [...normalised].length;
  if (aloneIn.length > 0 && length < minimumLengthAlone) {
    const flows = `the flow${aloneIn.length > 1 ? 's' : ''} ${aloneIn.map((id) => `'${id}'`).join(', ')}`;
    return `must have at least ${minimumLengthAlone} characters, because it is this user's only factor in ${flows} (NIST SP 800-63B-4, section 3.1.1.2)`;
  }
  if (length < minimumLength) return `must have at least ${minimumLength} characters`;
  if (length > maximumLength) return `may have at most ${maximumLength} characters`;
  const folded = fold(normalised);
  if (commonPasswords().has(folded))
    return 'is one of the most common passwords, and so one of the first to be guessed';
  if (own.some((name) => fold(name) === folded))
    return 'may not be the same as the user name or e-mail address';
  if (!demo && isDemoPassword(normalised)) return 'is the password of the demo, which everyone can read';
  return null;
}

export const isDemoPassword = (password: string): boolean =>
  password.normalize('NFC') === demoCredentials.password;
