import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { type Scheme, same, tooMuchWork, type Verifier } from './scheme.ts';

const derive = promisify(pbkdf2);

const MOST_ITERATIONS = 3_000_000;
/** A longer derived key costs as much again for every block of the digest. */
const MOST_BYTES = 128;

function verifier(digest: string, iterations: number, salt: Buffer, expected: Buffer): Verifier | string {
  if (!Number.isInteger(iterations) || iterations < 1 || salt.length === 0 || expected.length < 16) {
    return 'is no complete PBKDF2 string (iterations, salt and a key of at least 16 bytes)';
  }
  if (iterations > MOST_ITERATIONS) return tooMuchWork(`${iterations} iterations`, `${MOST_ITERATIONS}`);
  if (expected.length > MOST_BYTES) return tooMuchWork(`a key of ${expected.length} bytes`, `${MOST_BYTES}`);
  return {
    verify: async (password) =>
      same(await derive(password, salt, iterations, expected.length, digest), expected),
  };
}

/** passlib: `$pbkdf2-sha256$rounds$salt$key`, in base64 with `.` for `+`. Without a digest's name it is SHA-1. */
export const passlibPbkdf2: Scheme = (stored) => {
  const [, digest = 'sha1', rounds, salt = '', key = ''] =
    /^\$pbkdf2(?:-(sha256|sha512))?\$(\d{1,10})\$([A-Za-z0-9./]+)\$([A-Za-z0-9./]+)$/.exec(stored) ?? [];
  if (!rounds) return undefined;
  const bytes = (text: string) => Buffer.from(text.replaceAll('.', '+'), 'base64');
  return verifier(digest, Number(rounds), bytes(salt), bytes(key));
};

/** Django: `pbkdf2_sha256$iterations$salt$key`; the salt is text. */
export const djangoPbkdf2: Scheme = (stored) => {
  const [, digest, iterations, salt = '', key = ''] =
    /^pbkdf2_(sha1|sha256)\$(\d{1,10})\$([^$]+)\$([A-Za-z0-9+/]+=*)$/.exec(stored) ?? [];
  if (!digest) return undefined;
  return verifier(digest, Number(iterations), Buffer.from(salt), Buffer.from(key, 'base64'));
};

/** GRUB: `grub.pbkdf2.sha512.rounds.SALT.KEY`, in hexadecimal. */
export const grubPbkdf2: Scheme = (stored) => {
  const [, rounds, salt = '', key = ''] =
    /^grub\.pbkdf2\.sha512\.(\d{1,10})\.([0-9A-Fa-f]+)\.([0-9A-Fa-f]+)$/.exec(stored) ?? [];
  if (!rounds) return undefined;
  return verifier('sha512', Number(rounds), Buffer.from(salt, 'hex'), Buffer.from(key, 'hex'));
};

/** Atlassian: `{PKCS5S2}` and 16 bytes of salt and 32 of key; 10 000 rounds of SHA-1. */
export const atlassianPbkdf2: Scheme = (stored) => {
  if (!stored.startsWith('{PKCS5S2}')) return undefined;
  const bytes = Buffer.from(stored.slice('{PKCS5S2}'.length), 'base64');
  return verifier('sha1', 10_000, bytes.subarray(0, 16), bytes.subarray(16));
};

const ASPNET_DIGESTS = ['sha1', 'sha256', 'sha512'];

/** ASP.NET Identity, version 3: base64 of 1, digest, iterations and length of the salt (big-endian), salt, key. */
export const aspNetIdentity: Scheme = (stored) => {
  if (!/^AQ[A-Za-z0-9+/]{60,}=*$/.test(stored)) return undefined;
  const bytes = Buffer.from(stored, 'base64');
  const digest = ASPNET_DIGESTS[bytes.readUInt32BE(1)];
  const end = 13 + bytes.readUInt32BE(9);
  if (bytes[0] !== 1 || !digest) return undefined;
  return verifier(digest, bytes.readUInt32BE(5), bytes.subarray(13, end), bytes.subarray(end));
};

const KEYCLOAK_DIGESTS: Record<string, string> = {
  pbkdf2: 'sha1',
  'pbkdf2-sha256': 'sha256',
  'pbkdf2-sha512': 'sha512',
};

/**
 * Keycloak: the credential of a realm export as JSON, `{"secretData": …, "credentialData": …}`; the two are objects, or
 * JSON in strings as the export writes them.
 */
export const keycloak: Scheme = (stored) => {
  if (!/^\s*\{\s*"/.test(stored)) return undefined;
  try {
    const credential = JSON.parse(stored);
    const part = (value: unknown) => (typeof value === 'string' ? JSON.parse(value) : value);
    const { value, salt } = part(credential.secretData);
    const { hashIterations, algorithm } = part(credential.credentialData);
    const digest = KEYCLOAK_DIGESTS[algorithm];
    if (!digest)
      return `has the algorithm "${algorithm}"; known are ${Object.keys(KEYCLOAK_DIGESTS).join(', ')}`;
    return verifier(digest, hashIterations, Buffer.from(salt, 'base64'), Buffer.from(value, 'base64'));
  } catch {
    return 'is no Keycloak credential (JSON with secretData and credentialData)';
  }
};
