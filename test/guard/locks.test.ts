import t from 'tap';
import { isUntilLifted } from '../../src/guard/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { at, DAY, guardOn, HOUR, MINUTE, succeeded } from './fixture.ts';

await forEachDatabase(t, async (t, storage) => {
  const { db } = storage;
  const guard = guardOn(storage);
  const failTimes = async (n: number, subject: string, seconds: number) => {
    let last: Date | null = null;
    for (let i = 0; i < n; i++) {
      last = (await guard.failed(db, subject, 'sms-otp', at(seconds))).lockedUntil;
    }
    return last;
  };

  t.test('every fifth failure locks, each time for twice as long', async (t) => {
    let now = 0;
    for (const minutes of [5, 10, 20, 40, 80]) {
      t.equal(await failTimes(4, 'ladder', now), null);
      const until = await failTimes(1, 'ladder', now);
      t.strictSame(until, at(now + minutes * MINUTE), `${minutes} minutes`);
      t.strictSame(await guard.lockedUntil(db, 'ladder', 'sms-otp', at(now + minutes * MINUTE - 1)), until);
      now += minutes * MINUTE;
      t.equal(await guard.lockedUntil(db, 'ladder', 'sms-otp', at(now)), null);
    }
  });

  t.test('factors and subjects have their own counters', async (t) => {
    await failTimes(5, 'own', 0);
    t.ok(await guard.lockedUntil(db, 'own', 'sms-otp', at(1)));
    t.equal(await guard.lockedUntil(db, 'own', 'backup-code', at(1)), null);
    t.equal(await guard.lockedUntil(db, 'other', 'sms-otp', at(1)), null);
  });

  t.test('tries that were under way when it locked count, but lengthen nothing', async (t) => {
    const until = await failTimes(5, 'burst', 0);
    t.strictSame(await failTimes(20, 'burst', 1), until);
    t.equal(await failTimes(4, 'burst', 6 * MINUTE), null);
    t.strictSame(await failTimes(1, 'burst', 6 * MINUTE), at(16 * MINUTE));
  });

  t.test('success lowers the level by one and leaves the failures', async (t) => {
    await failTimes(5, 'good', 0);
    await failTimes(5, 'good', HOUR);
    await succeeded(guard, db, 'good');
    t.equal(await failTimes(4, 'good', 3 * HOUR), null);
    t.strictSame(await failTimes(1, 'good', 3 * HOUR), at(3 * HOUR + 10 * MINUTE), 'not 20, not 5');

    await failTimes(4, 'four', 0);
    await succeeded(guard, db, 'four');
    t.ok(await failTimes(1, 'four', 2), 'the fifth of a day locks, whatever succeeded in between');
  });

  t.test('a day without failures starts the ladder anew', async (t) => {
    await failTimes(5, 'day', 0);
    await failTimes(9, 'day', HOUR);
    t.equal(await failTimes(4, 'day', HOUR + DAY + 1), null);
    t.strictSame(await failTimes(1, 'day', HOUR + DAY + 1), at(HOUR + DAY + 1 + 5 * MINUTE));
  });

  t.test('a hundred in a row, however far apart, lock until somebody lifts it', async (t) => {
    for (let i = 0; i < 99; i++) await guard.failed(db, 'run', 'sms-otp', at(i * 2 * DAY));
    const { lockedUntil } = await guard.failed(db, 'run', 'sms-otp', at(198 * DAY));
    t.ok(lockedUntil && isUntilLifted(lockedUntil));
    t.ok(await guard.lockedUntil(db, 'run', 'sms-otp', at(300 * DAY)));
    await succeeded(guard, db, 'run');
    t.ok(await guard.lockedUntil(db, 'run', 'sms-otp', at(300 * DAY)), 'a success under way lifts nothing');
    await guard.unlock(db, 'run', 'sms-otp');
    t.equal(await guard.lockedUntil(db, 'run', 'sms-otp', at(300 * DAY)), null);
  });

  t.test('a success in between ends the run', async (t) => {
    for (let i = 0; i < 150; i++) {
      if (i === 60) await succeeded(guard, db, 'runs');
      const { lockedUntil } = await guard.failed(db, 'runs', 'sms-otp', at(i * 2 * DAY));
      t.equal(lockedUntil && isUntilLifted(lockedUntil), null);
    }
  });
});
