import t, { type Test } from 'tap';
import { createCrypto, createPasswords } from '../../src/crypto/index.ts';
import { Problem } from '../../src/lib/problem.ts';
import type { Storage } from '../../src/storage/types.ts';
import { createUsers } from '../../src/users/index.ts';
import type { NewUser, Users } from '../../src/users/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const now = new Date('2026-03-01T12:00:00Z');
const key = { id: 'a', bytes: Buffer.alloc(32, 1) };
const newerKey = { id: 'b', bytes: Buffer.alloc(32, 2) };
const errors: unknown[] = [];
const log = { error: (details: object) => void errors.push(details) };

const usersWith = (keys = [key], demo = false, at = now): Users =>
  createUsers({
    crypto: createCrypto(keys),
    passwords: createPasswords(),
    clock: { now: () => at },
    log,
    demo,
  });

const ada: NewUser = {
  username: 'Ada',
  name: 'Ada Lovelace',
  email: 'Ada@Example.test',
  emailVerified: true,
  phone: '+1 202 555 0100',
  phoneVerified: true,
  password: 'plain words are fine',
};

const create = (storage: Storage, users: Users, user: NewUser) =>
  storage.transaction((tx) => users.create(tx, user, now));

/** The paths of the faults that a refused creation names. */
async function refusal(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error.errors.map(({ path }) => path);
    throw error;
  }
  return [];
}

t.test('a user is found by name, verified address and verified number', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const users = usersWith();
    const created = await create(storage, users, { ...ada, groups: ['staff'], attributes: { floor: 3 } });
    for (const typed of ['ada', ' ADA', 'ada@example.TEST', '+12025550100', '001 202 555-0100']) {
      t.equal((await users.findByIdentifier(storage.db, typed))?.id, created.id, typed);
    }
    t.strictSame(await users.findById(storage.db, created.id), created);
    t.match(created, { username: 'Ada', phone: '+12025550100', groups: ['staff'], attributes: { floor: 3 } });
    t.equal(await users.findByIdentifier(storage.db, '202 555 0100'), undefined);
    t.equal(await users.findByIdentifier(storage.db, 'nobody'), undefined);
    t.notOk(JSON.stringify(created).includes('argon2'), 'the hash does not leave the folder');
  }),
);

t.test('what is not verified identifies nobody, and may be shared', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const users = usersWith();
    const unverified = { ...ada, emailVerified: false, phoneVerified: false };
    await create(storage, users, { ...unverified, username: 'first' });
    await create(storage, users, { ...unverified, username: 'second' });
    t.equal(await users.findByIdentifier(storage.db, 'ada@example.test'), undefined);
    t.equal(await users.findByIdentifier(storage.db, '+12025550100'), undefined);
  }),
);

t.test('names, verified addresses and verified numbers belong to one user', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const users = usersWith();
    await create(storage, users, ada);
    t.strictSame(await refusal(create(storage, users, ada)), ['username', 'email', 'phone']);
    t.strictSame(await refusal(create(storage, users, { username: 'ＡＤＡ' })), ['username']);
    t.strictSame(await refusal(create(storage, users, { username: 'b', password: 'password1' })), [
      'password',
    ]);
    const other = await create(storage, users, { username: 'other' });
    await t.rejects(
      storage.transaction((tx) => users.setVerifiedPhone(tx, other.id, '+12025550100', now)),
      { code: 'phone_taken', status: 409 },
    );
    await storage.transaction((tx) => users.setVerifiedPhone(tx, other.id, '+12025550101', now));
    t.equal((await users.findByIdentifier(storage.db, '+12025550101'))?.id, other.id);
  }),
);

t.test('passwords', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const users = usersWith();
    const { id } = await create(storage, users, ada);
    const user = await users.findByIdentifier(storage.db, 'ada');
    const refusing = new Proxy(storage.db, {
      get() {
        throw new Error('verifying reads nothing');
      },
    });
    t.equal(await users.verifyPassword(refusing, user, 'plain words are fine'), true);
    t.equal(await users.verifyPassword(refusing, user, 'plain words are not'), false);
    t.equal(await users.verifyPassword(refusing, undefined, 'plain words are fine'), false);
    t.equal(
      await users.verifyPassword(storage.db, user && { ...user }, 'plain words are fine'),
      true,
      'a copy',
    );

    await t.rejects(users.preparePassword('password1', { username: 'ada', email: null }), {
      code: 'invalid_user',
    });
    const hash = await users.preparePassword('another good one', { username: 'ada', email: null });
    await storage.transaction((tx) => users.setPassword(tx, id, hash, now));
    const changed = await users.findById(storage.db, id);
    t.equal(await users.verifyPassword(storage.db, changed, 'another good one'), true);
    t.equal(await users.verifyPassword(storage.db, changed, 'plain words are fine'), false);
    await t.rejects(
      storage.transaction((tx) => users.setPassword(tx, 'usr_none', hash, now)),
      { code: 'user_not_found' },
    );
    const without = await create(storage, users, { username: 'none' });
    t.equal(without.hasPassword, false);
    t.equal(await users.verifyPassword(storage.db, without, ''), false);
  }),
);

t.test('an imported hash is replaced after the first right password', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const users = usersWith();
    // bcrypt of "imported words", cost 4
    const bcrypt = await import('@node-rs/bcrypt');
    await create(storage, users, { username: 'ada', passwordHash: await bcrypt.hash('imported words', 4) });
    const stored = async () =>
      (await storage.db.selectFrom('users').select('password_hash').executeTakeFirstOrThrow())
        .password_hash ?? '';
    const user = await users.findByIdentifier(storage.db, 'ada');
    t.equal(await users.verifyPassword(storage.db, user, 'wrong words'), false);
    t.match(await stored(), /^\$2/);
    t.equal(await users.verifyPassword(storage.db, user, 'imported words'), true);
    await t.resolves(until(async () => (await stored()).startsWith('$argon2id$')));
    const again = await users.findByIdentifier(storage.db, 'ada');
    t.equal(await users.verifyPassword(storage.db, again, 'imported words'), true);
    t.strictSame(errors, []);
  }),
);

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never happened');
}

t.test('switching the code off, for good or until a moment; disabling', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const users = usersWith();
    const { id } = await create(storage, users, ada);
    const later = usersWith([key], false, new Date(now.getTime() + 60_001));
    await storage.transaction((tx) => users.setCodeOff(tx, id, true, new Date(now.getTime() + 60_000), now));
    t.equal((await users.findById(storage.db, id))?.codeOff, true);
    t.equal((await later.findById(storage.db, id))?.codeOff, false, 'it has run out');
    await storage.transaction((tx) => users.setCodeOff(tx, id, true, null, now));
    t.equal((await later.findById(storage.db, id))?.codeOff, true);
    await storage.transaction((tx) => users.setCodeOff(tx, id, false, null, now));
    t.equal((await users.findById(storage.db, id))?.codeOff, false);
    await storage.transaction((tx) => users.setDisabled(tx, id, true, now));
    t.equal((await users.findById(storage.db, id))?.disabled, true);
  }),
);

const use = (storage: Storage, users: Users, userId: string, code: string) =>
  storage.transaction((tx) => users.backupCodes.use(tx, userId, code, now));

t.test('backup codes', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const users = usersWith();
    const { id } = await create(storage, users, ada);
    const other = await create(storage, users, { username: 'other' });
    const codes = await storage.transaction((tx) => users.backupCodes.create(tx, id, now));
    t.equal(new Set(codes).size, 10);
    for (const code of codes) t.match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    const [first = '', second = ''] = codes;
    t.equal(await users.backupCodes.left(storage.db, id), 10);
    t.equal((await users.backupCodes.look(storage.db, id, first)).matches, true);
    t.equal((await users.backupCodes.look(storage.db, other.id, first)).matches, false, 'bound to the user');
    t.equal(await use(storage, users, other.id, first), false);
    t.equal(await use(storage, users, id, ` ${first.toLowerCase().replace('-', ' ')}`), true);
    t.equal(await use(storage, users, id, first), false, 'once only');
    t.equal((await users.backupCodes.look(storage.db, id, first)).matches, false);
    t.equal(await use(storage, users, id, ''), false);
    t.equal(await users.backupCodes.left(storage.db, id), 9);
    t.equal(await use(storage, usersWith([newerKey, key]), id, second), true, 'after a rotation of the key');
    await storage.transaction((tx) => users.backupCodes.create(tx, id, now));
    t.equal(
      (await users.backupCodes.look(storage.db, id, codes[3] ?? '')).matches,
      false,
      'new ones void the old',
    );

    await storage.transaction((tx) =>
      users.backupCodes.replace(tx, id, ['10300', '21390', '10-300', codes[4] ?? ''], now),
    );
    const rows = await storage.db.selectFrom('backup_codes').selectAll().where('user_id', '=', id).execute();
    t.equal(rows.length, 3, 'the same code twice is one');
    t.equal(rows.filter((row) => row.short).length, 2);
    t.notMatch(JSON.stringify(rows), /10300|21390/);
    t.equal(await use(storage, users, id, '21390'), true);
  }),
);

t.test('of fifty uses of one backup code at once exactly one succeeds', (t) =>
  postgresOnly(t, async (t, storage) => {
    const users = usersWith();
    const { id } = await create(storage, users, { ...ada, backupCodes: ['10300'] });
    const used = await Promise.all(Array.from({ length: 50 }, () => use(storage, users, id, '10300')));
    t.equal(used.filter(Boolean).length, 1);
  }),
);

t.test('of sixteen who claim one number or one name at once exactly one gets it', (t) =>
  postgresOnly(t, async (t: Test, storage) => {
    const users = usersWith();
    const ids = await Promise.all(
      Array.from({ length: 16 }, async (_, n) => (await create(storage, users, { username: `u${n}` })).id),
    );
    const claims = await Promise.allSettled(
      ids.map((id) => storage.transaction((tx) => users.setVerifiedPhone(tx, id, '+12025550100', now))),
    );
    t.equal(claims.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const claim of claims)
      if (claim.status === 'rejected') t.match(claim.reason, { code: 'phone_taken' });
    const created = await Promise.allSettled(ids.map(() => create(storage, users, { username: 'same' })));
    t.equal(created.filter(({ status }) => status === 'fulfilled').length, 1);
  }),
);

t.test('the credentials of the demo count only in the demo', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const demo = usersWith([key], true);
    const { id } = await create(storage, demo, {
      username: 'demo',
      password: 'correct-horse-demo',
      backupCodes: ['DEM00-C0DE1'],
    });
    const real = usersWith();
    const user = await real.findById(storage.db, id);
    t.equal(await real.verifyPassword(storage.db, user, 'correct-horse-demo'), false);
    t.equal((await real.backupCodes.look(storage.db, id, 'DEM00-C0DE1')).matches, false);
    t.equal(await use(storage, real, id, 'DEM00-C0DE1'), false);
    t.equal(
      await demo.verifyPassword(storage.db, await demo.findById(storage.db, id), 'correct-horse-demo'),
      true,
    );
    t.equal(await use(storage, demo, id, 'demoo code1'), true);
  }),
);
