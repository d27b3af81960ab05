/** A second number: one account for each number, wherever it stands, also for those who write at the same moment. */
import { sql } from 'kysely';
import t from 'tap';
import { createCrypto, createPasswords } from '../../src/crypto/index.ts';
import { Problem } from '../../src/lib/problem.ts';
import type { Storage, Tx } from '../../src/storage/types.ts';
import { createUsers } from '../../src/users/index.ts';
import type { NewUser } from '../../src/users/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const now = new Date('2026-03-01T12:00:00Z');
const users = createUsers({
  crypto: createCrypto([{ id: 'a', bytes: Buffer.alloc(32, 1) }]),
  passwords: createPasswords(),
  clock: { now: () => now },
  log: { error: () => undefined },
});
const one = '+12025550100';
const two = '+12025550101';
const three = '+12025550102';
const ada: NewUser = { username: 'ada', phone: one, phoneVerified: true, secondPhone: '+1 202 555 0101' };

const create = (storage: Storage, user: NewUser) => storage.transaction((tx) => users.create(tx, user, now));

/** The paths of the faults, or the code of the Problem; empty where nothing was wrong. */
async function refusal(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.errors.length > 0 ? error.errors.map(({ path }) => path) : [error.code];
  }
  return [];
}

t.test('kept, found, swapped, removed', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const change = (work: (tx: Tx) => Promise<void>) => storage.transaction(work);
    const { id } = await create(storage, ada);
    const present = async () => {
      const user = await users.findById(storage.db, id);
      return [user?.phone, user?.phoneVerified, user?.secondPhone];
    };
    t.same(await present(), [one, true, two]);
    for (const typed of [one, two, '001 202 555 0101']) {
      t.equal((await users.findByIdentifier(storage.db, typed))?.id, id, typed);
    }
    await change((tx) => users.swapPhones(tx, id, now));
    t.same(await present(), [two, true, one]);
    await change((tx) => users.removePhone(tx, id, now));
    t.same(await present(), [one, true, null], 'the second takes the place of the first');
    t.equal(await users.findByIdentifier(storage.db, two), undefined, 'what is gone identifies nobody');
    t.same(
      await refusal(change((tx) => users.swapPhones(tx, id, now))),
      ['user_not_found'],
      'there are no two',
    );
    await change((tx) => users.setSecondPhone(tx, id, three, now));
    await change((tx) => users.removeSecondPhone(tx, id, now));
    await change((tx) => users.removePhone(tx, id, now));
    t.same(await present(), [null, false, null]);

    await change((tx) => users.setVerifiedPhone(tx, id, one, now));
    await change((tx) => users.setSecondPhone(tx, id, two, now));
    // As a version writes that knows nothing of it.
    await sql`update users set phone = null, phone_verified = false where id = ${id}`.execute(storage.db);
    t.same(await present(), [two, true, null], 'never a second without a first');
  }),
);

t.test('a number that is proved is at one place only', (t) =>
  forEachDatabase(t, async (t, storage) => {
    await create(storage, ada);
    const other = await create(storage, { username: 'other', phone: three, phoneVerified: true });
    const claims = {
      'the first of somebody': (tx: Tx) => users.setSecondPhone(tx, other.id, one, now),
      'the second of somebody': (tx: Tx) => users.setSecondPhone(tx, other.id, two, now),
      'the second as a first': (tx: Tx) => users.setVerifiedPhone(tx, other.id, two, now),
      'one’s own first once more': (tx: Tx) => users.setSecondPhone(tx, other.id, three, now),
    };
    for (const [name, claim] of Object.entries(claims)) {
      t.same(await refusal(storage.transaction(claim)), ['phone_taken'], name);
    }
    const verified = { phoneVerified: true };
    const news: [NewUser, string[]][] = [
      [{ username: 'a', phone: two, ...verified }, ['phone']],
      [{ username: 'b', phone: '+12025550109', ...verified, secondPhone: one }, ['secondPhone']],
      [{ username: 'c', phone: one, ...verified, secondPhone: two }, ['phone', 'secondPhone']],
      [{ username: 'd', secondPhone: '+12025550109' }, ['secondPhone']],
      [{ username: 'e', phone: '+12025550109', secondPhone: '+12025550108' }, ['secondPhone']],
      [{ username: 'f', phone: '+12025550109', ...verified, secondPhone: '001 2025550109' }, ['secondPhone']],
      [{ username: 'g', phone: '+12025550109', ...verified, secondPhone: '12' }, ['secondPhone']],
      [{ username: 'h', phone: two }, []],
    ];
    for (const [user, expected] of news) {
      t.same(await refusal(create(storage, user)), expected, user.username);
    }
  }),
);

t.test('of twenty-four who claim a number at once, at every place, exactly one gets it', (t) =>
  postgresOnly(t, async (t, storage) => {
    const ids = await Promise.all(
      Array.from({ length: 24 }, async (_, n) => {
        const phone = `+120255502${String(n).padStart(2, '0')}`;
        return (await create(storage, { username: `u${n}`, phone, phoneVerified: true })).id;
      }),
    );
    for (let round = 0; round < 3; round += 1) {
      const wanted = `+1202555030${round}`;
      const places = [
        (id: string) => storage.transaction((tx) => users.setVerifiedPhone(tx, id, wanted, now)),
        (id: string) => storage.transaction((tx) => users.setSecondPhone(tx, id, wanted, now)),
        (id: string) => create(storage, { username: `n-${round}-${id}`, phone: wanted, phoneVerified: true }),
      ];
      const claims = await Promise.allSettled(ids.map((id, n) => places[n % places.length]?.(id)));
      t.equal(claims.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`);
      for (const claim of claims) {
        if (claim.status === 'rejected') t.match(claim.reason.code, /^(phone_taken|invalid_user)$/);
      }
      const { rows } = await sql<{ n: number }>`select count(*)::integer as n from users
        where phone = ${wanted} or second_phone = ${wanted}`.execute(storage.db);
      t.equal(rows[0]?.n, 1);
    }
  }),
);

t.test('changes of one account at once end with what one of them has made', (t) =>
  postgresOnly(t, async (t, storage) => {
    const { id } = await create(storage, ada);
    const work = [users.swapPhones, users.removePhone, users.removeSecondPhone];
    await Promise.allSettled(
      Array.from({ length: 18 }, (_, n) =>
        storage.transaction((tx) => work[n % work.length]?.(tx, id, now) ?? Promise.resolve()),
      ),
    );
    const user = await users.findById(storage.db, id);
    t.equal(user?.secondPhone, null);
    t.ok(user?.phone === null || (user?.phoneVerified && [one, two].includes(user.phone)));
  }),
);
