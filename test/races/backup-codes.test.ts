import t from 'tap';
import { createCrypto, createPasswords } from '../../src/crypto/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createUsers } from '../../src/users/index.ts';
import { postgresOnly } from '../helpers/database.ts';
import { silent } from '../helpers/log.ts';

const users = createUsers({
  crypto: createCrypto([{ id: 'k1', bytes: Buffer.alloc(32, 7) }]),
  passwords: createPasswords(),
  clock: systemClock,
  log: silent,
});
const now = new Date('2025-01-01T12:00:00Z');

await postgresOnly(t, async (t, { db, transaction }) => {
  const user = await transaction((tx) => users.create(tx, { username: 'ada' }, now));
  const codes = await transaction((tx) => users.backupCodes.create(tx, user.id, now));
  const use = (code: string) => transaction((tx) => users.backupCodes.use(tx, user.id, code, now));

  t.test('of 50 uses of one backup code at once exactly one counts', async (t) => {
    const used = await Promise.all(Array.from({ length: 50 }, () => use(codes[0]!)));
    t.equal(used.filter(Boolean).length, 1);
    t.equal(await users.backupCodes.left(db, user.id), 9);
  });

  t.test('all of them used five times each at once: each counts once', async (t) => {
    const used = await Promise.all([...codes, ...codes, ...codes, ...codes, ...codes].map(use));
    t.equal(used.filter(Boolean).length, 9);
    t.equal(await users.backupCodes.left(db, user.id), 0);
  });
});
