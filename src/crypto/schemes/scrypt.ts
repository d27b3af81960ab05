import { type ScryptOptions, scrypt } from 'node:crypto';
import { type Scheme, same, tooMuchWork, type Verifier } from './scheme.ts';

/** Memory is 128·N·r bytes, and time grows with that times p. */
const MOST_MEMORY = 128 * 2 ** 20;
const MOST_LANES = 4;

const derive = (password: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });

function verifier(N: number, r: number, p: number, salt: Buffer, expected: Buffer): Verifier | string {
  if (N < 2 || !Number.isInteger(Math.log2(N)) || r < 1 || p < 1 || expected.length < 16) {
    return 'is no complete scrypt string (N a power of two, r, p, salt and a key of at least 16 bytes)';
  }
  if (128 * N * r > MOST_MEMORY) return tooMuchWork(`N=${N}, r=${r}`, `${MOST_MEMORY} bytes`);
  if (p > MOST_LANES) return tooMuchWork(`p=${p}`, `${MOST_LANES}`);
  if (expected.length > 64) return tooMuchWork(`a key of ${expected.length} bytes`, '64');
  // Node refuses above 32 MiB unless it is told otherwise; what it needs is a little more than the formula.
  const options = { N, r, p, maxmem: 2 * MOST_MEMORY };
  return {
    verify: async (password) => same(await derive(password, salt, expected.length, options), expected),
  };
}

/** passlib: `$scrypt$ln=…,r=…,p=…$salt$key`, base64 without padding. */
export const passlibScrypt: Scheme = (stored) => {
  const [, ln, r, p, salt = '', key = ''] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored) ?? [];
  if (!ln) return undefined;
  const [saltBytes, keyBytes] = [Buffer.from(salt, 'base64'), Buffer.from(key, 'base64')];
  return verifier(2 ** Number(ln), Number(r), Number(p), saltBytes, keyBytes);
};

/** Werkzeug: `scrypt:N:r:p$salt$key`; the salt is text, the key hexadecimal. */
export const werkzeugScrypt: Scheme = (stored) => {
  const [, N, r, p, salt = '', key = ''] =
    /^scrypt:(\d{1,10}):(\d{1,3}):(\d{1,3})\$([^$]+)\$([0-9a-f]+)$/.exec(stored) ?? [];
  if (!N) return undefined;
  return verifier(Number(N), Number(r), Number(p), Buffer.from(salt), Buffer.from(key, 'hex'));
};
