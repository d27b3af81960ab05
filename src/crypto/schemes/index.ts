import { argon2 } from './argon2.ts';
import { bcrypt } from './bcrypt.ts';
import { djangoSha1, fshp, ldap, wso2 } from './digests.ts';
import { md5Crypt, phpass } from './md5-crypt.ts';
import {
  aspNetIdentity,
  atlassianPbkdf2,
  djangoPbkdf2,
  grubPbkdf2,
  keycloak,
  passlibPbkdf2,
} from './pbkdf2.ts';
import type { Scheme, Verifier } from './scheme.ts';
import { passlibScrypt, werkzeugScrypt } from './scrypt.ts';
import { shaCrypt } from './sha-crypt.ts';

/** Every stored form that a password can be compared with, ours first. */
const SCHEMES: Scheme[] = [
  argon2,
  bcrypt,
  passlibPbkdf2,
  djangoPbkdf2,
  grubPbkdf2,
  atlassianPbkdf2,
  aspNetIdentity,
  keycloak,
  passlibScrypt,
  werkzeugScrypt,
  shaCrypt,
  md5Crypt,
  phpass,
  ldap,
  djangoSha1,
  wso2,
  fshp,
];

/** The verifier of a stored password, or the sentence that says why there is none. */
export function verifierOf(stored: string): Verifier | string {
  // No known form is longer, and the expressions below are not made for megabytes.
  if (stored.length > 2_048) return 'is too long for a password hash';
  for (const scheme of SCHEMES) {
    const found = scheme(stored);
    if (found !== undefined) return found;
  }
  return 'is no password hash of a known form';
}

export { hashToday } from './argon2.ts';
