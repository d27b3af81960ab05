import { hash } from 'node:crypto';
import { cryptBase64, repeat, type Scheme, same, tooMuchWork } from './scheme.ts';

const MOST_ROUNDS = 1_000_000;
const DEFAULT_ROUNDS = 5_000;

/** What sets the two apart: digest, and the order in which its bytes are written. */
const VARIANTS: Record<string, { digest: string; length: number; groups: number[][] }> = {
  5: { digest: 'sha256', length: 43, groups: [...rotate([0, 10, 20], [2, 0, 1], 10), [31, 30]] },
  6: { digest: 'sha512', length: 86, groups: [...rotate([0, 21, 42], [1, 2, 0], 21), [63]] },
};

/** The permutation of the specification: every triple is the one before, turned and one further. */
function rotate(first: number[], turn: number[], count: number): number[][] {
  const groups = [first];
  while (groups.length < count) {
    const last = groups.at(-1) ?? first;
    groups.push(turn.map((index) => (last[index] ?? 0) + 1));
  }
  return groups;
}

/** glibc's sha256-crypt and sha512-crypt (`$5$`, `$6$`), as specified by Ulrich Drepper in 2007. */
export const shaCrypt: Scheme = (stored) => {
  const [, version = '', asked, salt = '', expected = ''] =
    /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./A-Za-z0-9]+)$/.exec(stored) ?? [];
  const variant = VARIANTS[version];
  if (!variant) return undefined;
  if (expected.length !== variant.length) return 'is no complete sha-crypt string';
  const rounds = Math.max(1_000, Number(asked ?? DEFAULT_ROUNDS));
  if (rounds > MOST_ROUNDS) return tooMuchWork(`${rounds} rounds`, `${MOST_ROUNDS}`);
  const { digest, groups } = variant;
  return {
    verify: async (password) =>
      same(cryptBase64(await compute(digest, password, salt, rounds), groups), expected),
  };
};

async function compute(digest: string, text: string, saltText: string, rounds: number): Promise<Buffer> {
  const password = Buffer.from(text);
  const salt = Buffer.from(saltText);
  const of = (...parts: Buffer[]) => hash(digest, Buffer.concat(parts), 'buffer');

  const inner = of(password, salt, password);
  const parts = [password, salt, stretch(inner, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? inner : password);
  let result = of(...parts);

  const p = stretch(of(...Array<Buffer>(password.length).fill(password)), password.length);
  const s = stretch(of(...Array<Buffer>(16 + (result[0] ?? 0)).fill(salt)), salt.length);
  await repeat(rounds, (round) => {
    const odd = round % 2 === 1;
    const input = [odd ? p : result];
    if (round % 3 !== 0) input.push(s);
    if (round % 7 !== 0) input.push(p);
    input.push(odd ? result : p);
    result = of(...input);
  });
  return result;
}

const stretch = (bytes: Buffer, length: number): Buffer => Buffer.alloc(length, bytes);
