import t from 'tap';
import { systemRandom } from '../../src/lib/ids.ts';
import { makeCode, normaliseCode } from '../../src/otp/codes.ts';
import { otpDefaults, otpFaults, otpSettings } from '../../src/otp/index.ts';

t.test('codes have their length and only characters of their alphabet', async (t) => {
  for (let length = 4; length <= 10; length++) {
    t.match(makeCode({ length, alphabet: 'numeric' }, systemRandom), new RegExp(`^[0-9]{${length}}$`));
    const mixed = makeCode({ length, alphabet: 'alphanumeric' }, systemRandom);
    t.match(mixed, new RegExp(`^[A-Z0-9]{${length}}$`));
    t.notMatch(mixed, /[0158AEIOULSZ]/, 'no look-alikes, no vowels');
  }
});

t.test('every character is equally likely in every place', async (t) => {
  // 99.99 % points of chi-square with 9 and 23 degrees of freedom, rounded up generously.
  for (const [alphabet, size, bound] of [
    ['numeric', 10, 45],
    ['alphanumeric', 24, 70],
  ] as const) {
    const rounds = 20_000;
    const seen = Array.from({ length: 6 }, () => new Map<string, number>());
    for (let i = 0; i < rounds; i++) {
      const code = makeCode({ length: 6, alphabet }, systemRandom);
      for (const [place, counts] of seen.entries()) {
        counts.set(code[place]!, (counts.get(code[place]!) ?? 0) + 1);
      }
    }
    for (const counts of seen) {
      t.equal(counts.size, size);
      const expected = rounds / size;
      const square = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
      t.ok(square < bound, `chi-square ${square.toFixed(1)} of ${alphabet} stays below ${bound}`);
    }
  }
});

t.test('bytes that would favour some characters are thrown away', async (t) => {
  const bytes = [255, 251, 250, 249, 0, 10, 20, 30];
  t.equal(
    makeCode({ length: 4, alphabet: 'numeric' }, () => Buffer.from(bytes)),
    '9000',
  );
});

t.test('what people type around a code does not matter', async (t) => {
  for (const [typed, code] of [
    ['123456', '123456'],
    [' 123 456\n', '123456'],
    ['123-456', '123456'],
    ['123\u2013456', '123456'],
    ['12\u00a034\u200b56', '123456'],
    ['１２３４５６', '123456'],
    ['١٢٣٤٥٦', '123456'],
    ['۱۲۳۴۵۶', '123456'],
    ['bc2df9', 'BC2DF9'],
    ['BC2\uff0dDF9', 'BC2DF9'],
    ['', ''],
  ] as const) {
    t.equal(normaliseCode(typed), code, JSON.stringify(typed));
  }
  t.ok(normaliseCode('9'.repeat(1_000_000)).length <= 100, 'and nobody can make it long');
});

t.test('a step says what it wants over the instance-wide defaults', async (t) => {
  t.strictSame(otpSettings(otpDefaults), {
    length: 6,
    alphabet: 'numeric',
    attempts: 5,
    resends: 5,
    expiresMs: 300_000,
    resendAfterMs: 30_000,
  });
  t.match(otpSettings({ ...otpDefaults, length: 8 }, { expires: '90s', attempts: 3 }), {
    length: 8,
    attempts: 3,
    expiresMs: 90_000,
  });
});

t.test('durations out of their bounds are faults with their member', async (t) => {
  t.strictSame(otpFaults({ expires: '10m', resendAfter: '0s' }), []);
  t.strictSame(otpFaults({ expires: '11m', resendAfter: '1h' }), [
    { path: 'expires', message: 'must be between 30s and 10m, not 11m' },
    { path: 'resendAfter', message: 'must be between 0s and 10m, not 1h' },
  ]);
});
