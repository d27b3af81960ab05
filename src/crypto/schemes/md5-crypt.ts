import { hash } from 'node:crypto';
import { cryptBase64, cryptValue, repeat, type Scheme, same, tooMuchWork } from './scheme.ts';

const of = (...parts: Buffer[]): Buffer => hash('md5', Buffer.concat(parts), 'buffer');

const CRYPT_GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]];

/** FreeBSD's MD5 crypt (`$1$`) and Apache's variant of it (`$apr1$`): a thousand rounds, always. */
export const md5Crypt: Scheme = (stored) => {
  const [, magic, salt = '', expected = ''] =
    /^(\$1\$|\$apr1\$)([^$]{0,8})\$([./A-Za-z0-9]{22})$/.exec(stored) ?? [];
  if (!magic) return undefined;
  return {
    verify: async (password) =>
      same(
        cryptBase64(await compute(Buffer.from(password), magic, Buffer.from(salt)), CRYPT_GROUPS),
        expected,
      ),
  };
};

async function compute(password: Buffer, magic: string, salt: Buffer): Promise<Buffer> {
  const inner = of(password, salt, password);
  const parts = [password, Buffer.from(magic), salt, Buffer.alloc(password.length, inner)];
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push(bits & 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  }
  let result = of(...parts);
  await repeat(1_000, (round) => {
    const odd = round % 2 === 1;
    const input = [odd ? password : result];
    if (round % 3 !== 0) input.push(salt);
    if (round % 7 !== 0) input.push(password);
    input.push(odd ? result : password);
    result = of(...input);
  });
  return result;
}

const MOST_DOUBLINGS = 18;
/** Threes with the first byte lowest, which is the other way round. */
const PHPASS_GROUPS = [[2, 1, 0], [5, 4, 3], [8, 7, 6], [11, 10, 9], [14, 13, 12], [15]];

/** phpass (`$P$` of WordPress before 6.8, `$H$` of phpBB): MD5, doubled as often as the fourth character says. */
export const phpass: Scheme = (stored) => {
  const [, cost = '', salt = '', expected = ''] =
    /^\$[PH]\$([./A-Za-z0-9])([^$]{8})([./A-Za-z0-9]{22})$/.exec(stored) ?? [];
  if (!cost) return undefined;
  const doublings = cryptValue(cost);
  if (doublings > MOST_DOUBLINGS) return tooMuchWork(`2^${doublings} rounds`, `2^${MOST_DOUBLINGS}`);
  return {
    async verify(text) {
      const password = Buffer.from(text);
      let result = of(Buffer.from(salt), password);
      await repeat(2 ** doublings, () => {
        result = of(result, password);
      });
      return same(cryptBase64(result, PHPASS_GROUPS), expected);
    },
  };
};
