import { hash } from 'node:crypto';
import { repeat, type Scheme, same, tooMuchWork } from './scheme.ts';

const of = (digest: string, ...parts: (string | Buffer)[]): Buffer =>
  hash(digest, Buffer.concat(parts.map((part) => Buffer.from(part as string))), 'buffer');

const LDAP: Record<string, { digest: string; size: number; salted: boolean }> = {
  MD5: { digest: 'md5', size: 16, salted: false },
  SSHA: { digest: 'sha1', size: 20, salted: true },
  SSHA256: { digest: 'sha256', size: 32, salted: true },
  SSHA512: { digest: 'sha512', size: 64, salted: true },
};

/** LDAP (RFC 2307): `{SSHA}`, `{SSHA256}`, `{SSHA512}` with the salt behind the digest, and `{MD5}` without one. */
export const ldap: Scheme = (stored) => {
  const [, name = '', text = ''] = /^\{([A-Z0-9]+)\}([A-Za-z0-9+/]+=*)$/.exec(stored) ?? [];
  const known = LDAP[name];
  if (!known) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (known.salted ? bytes.length <= known.size : bytes.length !== known.size) {
    return `is no complete {${name}} string`;
  }
  const [expected, salt] = [bytes.subarray(0, known.size), bytes.subarray(known.size)];
  return { verify: async (password) => same(of(known.digest, password, salt), expected) };
};

/** Django's old form: `sha1$salt$` and SHA-1 of salt and password in hexadecimal. */
export const djangoSha1: Scheme = (stored) => {
  const [, salt = '', expected] = /^sha1\$([^$]+)\$([0-9a-f]{40})$/.exec(stored) ?? [];
  if (!expected) return undefined;
  return { verify: async (password) => same(of('sha1', salt, password).toString('hex'), expected) };
};

/**
 * WSO2's JDBC user store with a stored salt: SHA-256 of password and salt. It keeps the two in columns of their own;
 * here they are written as one, `$wso2-sha256$<salt>$<base64>`.
 */
export const wso2: Scheme = (stored) => {
  const [, salt = '', expected] = /^\$wso2-sha256\$([^$]+)\$([A-Za-z0-9+/]{43}=)$/.exec(stored) ?? [];
  if (!expected) return undefined;
  return { verify: async (password) => same(of('sha256', password, salt).toString('base64'), expected) };
};

const FSHP_DIGESTS = ['sha1', 'sha256', 'sha384', 'sha512'];
const FSHP_MOST_ROUNDS = 1_000_000;

/** FSHP: `{FSHP1|16|1000}` (variant, bytes of salt, rounds), then salt and digest. PBKDF1 with salt and password swapped. */
export const fshp: Scheme = (stored) => {
  const [, variant, size, asked, text = ''] =
    /^\{FSHP([0-3])\|(\d{1,3})\|(\d{1,9})\}([A-Za-z0-9+/]+=*)$/.exec(stored) ?? [];
  if (!variant) return undefined;
  const [digest = '', rounds] = [FSHP_DIGESTS[Number(variant)], Number(asked)];
  if (rounds > FSHP_MOST_ROUNDS) return tooMuchWork(`${rounds} rounds`, `${FSHP_MOST_ROUNDS}`);
  const bytes = Buffer.from(text, 'base64');
  const [salt, expected] = [bytes.subarray(0, Number(size)), bytes.subarray(Number(size))];
  if (rounds < 1 || expected.length < 16) return 'is no complete FSHP string';
  return {
    async verify(password) {
      let result = of(digest, salt, password);
      await repeat(rounds - 1, () => {
        result = hash(digest, result, 'buffer');
      });
      return same(result, expected);
    },
  };
};
