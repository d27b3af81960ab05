import { hash } from '@node-rs/argon2';
import t from 'tap';
import { createPasswords } from '../../src/crypto/index.ts';
import { Problem } from '../../src/lib/problem.ts';

t.test('hashes with today’s parameters, and is content with them', async (t) => {
  const passwords = createPasswords();
  const stored = await passwords.hash('correct horse');
  t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  t.not(stored, await passwords.hash('correct horse'), 'salted');
  t.equal(passwords.faultOf(stored), null);
  t.strictSame(await passwords.verify(stored, 'correct horse'), { ok: true, rehash: false });
  t.strictSame(await passwords.verify(stored, 'correct horsf'), { ok: false, rehash: false });
});

t.test('asks for a new hash of what is weaker only', async (t) => {
  const passwords = createPasswords();
  const weak = await hash('p', { memoryCost: 8_192, timeCost: 2 });
  t.strictSame(await passwords.verify(weak, 'p'), { ok: true, rehash: true });
  const fewer = await hash('p', { memoryCost: 19_456, timeCost: 1 });
  t.strictSame(await passwords.verify(fewer, 'p'), { ok: true, rehash: true });
  const strong = await hash('p', { memoryCost: 32_768, timeCost: 3 });
  t.strictSame(await passwords.verify(strong, 'p'), { ok: true, rehash: false });
});

t.test('a password is the same however its accents are put together', async (t) => {
  const passwords = createPasswords();
  const stored = await passwords.hash('p\u00e4ssw\u00f6rd');
  t.ok((await passwords.verify(stored, 'pa\u0308sswo\u0308rd')).ok);
});

t.test('no stored password and an endless one are wrong, and take their time', async (t) => {
  const passwords = createPasswords({ concurrency: 1 });
  const stored = await passwords.hash('p');
  const time = async (work: () => Promise<unknown>) => {
    const from = performance.now();
    for (let i = 0; i < 5; i++) await work();
    return performance.now() - from;
  };
  const real = await time(() => passwords.verify(stored, 'wrong'));
  for (const missing of [null, undefined, '']) {
    t.strictSame(await passwords.verify(missing, 'wrong'), { ok: false, rehash: false });
  }
  const decoy = await time(() => passwords.verify(null, 'wrong'));
  t.ok(decoy > real / 4, `${decoy.toFixed(0)} ms without a user, ${real.toFixed(0)} ms with one`);
  t.strictSame(await passwords.verify(stored, 'p'.repeat(1_025)), { ok: false, rehash: false });
});

t.test('of a rush as many run and wait as was said, and the rest is told when to come back', async (t) => {
  const passwords = createPasswords({ concurrency: 2, queue: 3 });
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => passwords.hash('p')));
  t.equal(results.filter((result) => result.status === 'fulfilled').length, 5);
  const refused = results.find((result) => result.status === 'rejected');
  const { reason } = refused as PromiseRejectedResult;
  t.ok(reason instanceof Problem);
  t.match(reason, { status: 503, code: 'busy', retryAfterSeconds: 2 });
  const again = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.verify(null, 'p')));
  t.ok(
    again.every((result) => result.status === 'fulfilled'),
    'all places are free again afterwards',
  );
});
