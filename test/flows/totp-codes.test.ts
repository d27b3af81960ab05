import { Secret, TOTP } from 'otpauth';
import t from 'tap';
import { qrCode } from '../../src/flows/authenticators/qr-code.ts';
import {
  matchTotp,
  newSeed,
  seedForTyping,
  type TotpParameters,
  totpAddress,
  totpDefaults,
} from '../../src/flows/authenticators/totp.ts';

/** RFC 6238, appendix B; the seeds are the digits 1 to 0 again and again, as long as the digest. */
const vectors: [seconds: number, SHA1: string, SHA256: string, SHA512: string][] = [
  [59, '94287082', '46119246', '90693936'],
  [1111111109, '07081804', '68084774', '25091201'],
  [1111111111, '14050471', '67062674', '99943326'],
  [1234567890, '89005924', '91819424', '93441116'],
  [2000000000, '69279037', '90698825', '38618901'],
  [20000000000, '65353130', '77737706', '47863826'],
];
const seeds: Record<TotpParameters['algorithm'], string> = {
  SHA1: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  SHA256: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA',
  SHA512:
    'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA',
};
const secretOf = (seed: string) => Secret.fromBase32(seed);
const at = (seconds: number) => new Date(seconds * 1000);

t.test('the codes of RFC 6238', async (t) => {
  for (const [seconds, ...codes] of vectors) {
    for (const [index, algorithm] of (['SHA1', 'SHA256', 'SHA512'] as const).entries()) {
      const match = await matchTotp(
        seeds[algorithm],
        { ...totpDefaults, digits: 8, algorithm },
        codes[index]!,
        {
          ...{ now: at(seconds), used: null, window: 0 },
        },
      );
      t.strictSame(match, { is: 'right', step: Math.floor(seconds / 30) }, `${algorithm} at ${seconds}`);
    }
  }
});

t.test('drift, replay, and what people type', async (t) => {
  const seconds = 1111111111;
  const step = Math.floor(seconds / 30);
  const code = (steps: number) =>
    TOTP.generate({ secret: secretOf(seeds.SHA1), timestamp: (step + steps) * 30_000 });
  const look = (typed: string, members: { used?: number; window?: number } = {}) =>
    matchTotp(seeds.SHA1, totpDefaults, typed, { now: at(seconds), used: null, window: 1, ...members });

  for (const drift of [-1, 0, 1]) {
    t.strictSame(await look(code(drift)), { is: 'right', step: step + drift }, `${drift} steps off`);
  }
  for (const drift of [-2, 2]) {
    t.strictSame(await look(code(drift)), { is: 'wrong' }, `${drift} steps off`);
    t.match(await look(code(drift), { window: 2 }), { is: 'right' }, 'with a wider window');
  }
  t.strictSame(await look(code(-1), { window: 0 }), { is: 'wrong' });
  t.strictSame(await look(code(0), { used: step }), { is: 'used' });
  t.strictSame(await look(code(-1), { used: step }), { is: 'used' }, 'an earlier one than the last');
  t.match(await look(code(1), { used: step }), { is: 'right', step: step + 1 }, 'the next one is new');

  const plain = code(0);
  for (const typed of [
    ` ${plain.slice(0, 3)} ${plain.slice(3)} `,
    `${plain.slice(0, 3)}-${plain.slice(3)}`,
    plain.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  ]) {
    t.match(await look(typed), { is: 'right' }, typed);
  }
  for (const typed of ['', plain.slice(1), `${plain}0`, 'abcdef', 'ⅠⅡⅢⅣⅤⅥ', '0'.repeat(64)]) {
    t.strictSame(await look(typed), { is: 'wrong' }, typed);
  }
});

t.test('seeds are as long as the digest, and never the same', async (t) => {
  const given: number[] = [];
  const random = (size: number) => {
    given.push(size);
    return Buffer.alloc(size, given.length);
  };
  const made = [];
  for (const algorithm of ['SHA1', 'SHA256', 'SHA512'] as const) made.push(await newSeed(algorithm, random));
  t.strictSame(given, [20, 32, 64]);
  t.strictSame(
    made.map((seed) => secretOf(seed).bytes.length),
    [20, 32, 64],
  );
  t.equal(made[0], new Secret({ buffer: new Uint8Array(20).fill(1).buffer }).base32);
  t.equal(seedForTyping('ABCDEFGHIJ'), 'ABCD EFGH IJ');
});

t.test('the address holds what an app needs, whatever the names are', async (t) => {
  const address = await totpAddress(seeds.SHA1, totpDefaults, { issuer: 'Bürger: A&B', account: 'a:b@x ?y' });
  const url = new URL(address);
  t.equal(url.protocol, 'otpauth:');
  t.equal(url.host, 'totp');
  t.equal(decodeURIComponent(url.pathname), '/Bürger  A&B:a b@x ?y', 'one colon between the two');
  t.strictSame(Object.fromEntries(url.searchParams), {
    ...{ issuer: 'Bürger  A&B', secret: seeds.SHA1, algorithm: 'SHA1', digits: '6', period: '30' },
  });
});

t.test('the picture is the QR code of what was given', async (t) => {
  const { size, path } = await qrCode('otpauth://totp/x?secret=AAAA');
  const modules = size - 8;
  t.equal((modules - 17) % 4, 0, 'a size that QR codes have');
  t.match(path, /^(M\d+ \d+h\d+v1h-\d+z)+$/);
  const dark = new Set<string>();
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let i = 0; i < Number(run); i++) dark.add(`${Number(x) + i},${y}`);
  }
  // ISO/IEC 18004: a finder pattern in three corners, and four modules of nothing around all.
  for (const [left, top] of [
    [4, 4],
    [size - 11, 4],
    [4, size - 11],
  ] as const) {
    for (let i = 0; i < 7; i++) {
      t.ok(dark.has(`${left + i},${top}`) && dark.has(`${left},${top + i}`), 'its edge is dark');
    }
    t.notOk(dark.has(`${left + 1},${top + 1}`), 'its ring is light');
    t.ok(dark.has(`${left + 3},${top + 3}`), 'its centre is dark');
  }
  for (const module of dark) {
    const [x = 0, y = 0] = module.split(',').map(Number);
    if (Math.min(x, y) < 4 || Math.max(x, y) >= size - 4) t.fail(`${module} stands in the quiet zone`);
  }
});
