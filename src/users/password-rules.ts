import { readFileSync } from 'node:fs';
import { demoCredentials } from '../config/index.ts';
import { Problem } from '../lib/problem.ts';
import { type Catalogue, type Text, text } from '../lib/texts.ts';
import { fold } from './identifiers.ts';

/**
 * In code points after NFC (NIST SP 800-63B-4, section 3.1.1.2): at least 15 for a password that is the only factor, at
 * least 8 beside another one, and no composition rules.
 */
const minimumLength = 8;
const minimumLengthAlone = 15;
const maximumLength = 256;

const stolen = 'This password appears in lists of stolen passwords. Choose another one.';

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

/** Why a new password is refused. `alone`: too short for the only factor of an account. */
export type Weakness = 'short' | 'alone' | 'long' | 'common' | 'own-name' | 'demo' | 'stolen';

export interface PasswordContext {
  /** What the person is called (user name, address): a password may not be just that. */
  own: string[];
  demo: boolean;
  /** Ids of flows that this password alone gets the person through. Default: none. */
  aloneIn?: string[];
}

/** Why a new password is refused, or null. */
export function weaknessOf(password: string, { aloneIn = [], demo, own }: PasswordContext): Weakness | null {
  const normalised = password.normalize('NFC');
  const length = [...normalised].length;
  if (aloneIn.length > 0 && length < minimumLengthAlone) return 'alone';
  if (length < minimumLength) return 'short';
  if (length > maximumLength) return 'long';
  const folded = fold(normalised);
  if (commonPasswords().has(folded)) return 'common';
  if (own.some((name) => fold(name) === folded)) return 'own-name';
  return !demo && isDemoPassword(normalised) ? 'demo' : null;
}

/** The same as a sentence for whoever writes files. */
export function faultOfPassword(password: string, context: PasswordContext): string | null {
  const weakness = weaknessOf(password, context);
  return weakness && sentenceOf(weakness, context.aloneIn ?? []);
}

function sentenceOf(weakness: Weakness, aloneIn: string[]): string {
  switch (weakness) {
    case 'alone': {
      const flows = `the flow${aloneIn.length > 1 ? 's' : ''} ${aloneIn.map((id) => `'${id}'`).join(', ')}`;
      return `must have at least ${minimumLengthAlone} characters, because it is this user's only factor in ${flows} (NIST SP 800-63B-4, section 3.1.1.2)`;
    }
    case 'short':
      return `must have at least ${minimumLength} characters`;
    case 'long':
      return `may have at most ${maximumLength} characters`;
    case 'common':
      return 'is one of the most common passwords, and so one of the first to be guessed';
    case 'own-name':
      return 'may not be the same as the user name or e-mail address';
    case 'demo':
      return 'is the password of the demo, which everyone can read';
    case 'stolen':
      return stolen;
  }
}

export const isDemoPassword = (password: string): boolean =>
  password.normalize('NFC') === demoCredentials.password;

export const texts: Catalogue = {
  'users.password.short': {
    one: 'Please choose one with at least {count} character.',
    other: 'Please choose one with at least {count} characters.',
  },
  'users.password.alone': {
    one: 'Please choose one with at least {count} character: nothing else protects your account.',
    other: 'Please choose one with at least {count} characters: nothing else protects your account.',
  },
  'users.password.long': {
    one: 'Please choose one with at most {count} character.',
    other: 'Please choose one with at most {count} characters.',
  },
  'users.password.common':
    'Many people use this password, so it is among the first to be guessed. Please choose another one.',
  'users.password.own-name': 'Please choose one that is not your user name or e-mail address.',
  'users.password.demo': 'Everyone can read this password. Please choose another one.',
  'users.password.stolen': 'This password is in lists of stolen ones. Please choose another one.',
};

/** The same for whoever chose it. */
export function weaknessText(weakness: Weakness): Text {
  const counts = { short: minimumLength, alone: minimumLengthAlone, long: maximumLength };
  const count = counts[weakness as keyof typeof counts];
  return text(`users.password.${weakness}`, count === undefined ? undefined : { count });
}

/** A password that somebody chose and cannot have. */
export class PasswordRefused extends Problem {
  readonly weakness: Weakness;

  constructor(weakness: Weakness, aloneIn: string[] = []) {
    const errors = [{ path: 'password', message: sentenceOf(weakness, aloneIn) }];
    super({ status: 400, code: 'invalid_user', message: 'The user cannot be saved like this.', errors });
    this.name = 'PasswordRefused';
    this.weakness = weakness;
  }
}
