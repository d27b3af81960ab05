import t from 'tap';
import { isUntilLifted } from '../../src/guard/index.ts';
import { sendRiders } from '../../src/storage/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { at, DAY, defaults, guardOn, HOUR, MINUTE } from './fixture.ts';

const ip = '192.0.2.1';

await forEachDatabase(t, async (t, storage) => {
  const { db } = storage;
  const guard = guardOn(storage);
  const account = (subjectKey: string, address = ip) => ({ subjectKey, ip: address, deviceId: null });

  t.test('after five wrong ones each costs a longer wait', async (t) => {
    const request = account('wait', '192.0.2.2');
    for (let i = 0; i < 5; i++) t.match(await guard.allowPassword(request, at(0)), { allowed: true });
    let now = 0;
    for (const wait of [5, 10, 20, 40, 80, 160, 320, 640]) {
      const refused = { allowed: false, rule: 'account', retryAt: at(now + wait) };
      t.strictSame(await guard.allowPassword(request, at(now)), refused, `${wait} s`);
      t.strictSame(await guard.allowPassword(request, at(now + wait - 1)), refused, 'asking costs nothing');
      now += wait;
      t.match(await guard.allowPassword(request, at(now)), { allowed: true });
    }
    t.match(
      await guard.allowPassword(request, at(now)),
      { retryAt: at(now + 15 * MINUTE) },
      'never longer than a quarter of an hour',
    );
    t.match(await guard.allowPassword(account('somebody-else', '192.0.2.2'), at(now)), { allowed: true });
  });

  t.test('a right one gives its try back', async (t) => {
    const request = account('right');
    for (let i = 0; i < 20; i++) {
      t.match(await guard.allowPassword(request, at(i)), { allowed: true });
      await sendRiders(db, [guard.passingPassword(request, at(i))]);
    }
    for (let i = 0; i < 4; i++) await guard.allowPassword(request, at(20));
    t.match(await guard.allowPassword(request, at(21)), { allowed: true }, 'the fifth, and it is right');
    await sendRiders(db, [guard.passingPassword(request, at(21))]);
    t.match(await guard.allowPassword(request, at(22)), { allowed: true }, 'so there is no wait');
    t.match(
      await guard.allowPassword(request, at(23)),
      { allowed: false },
      'but the four were not forgotten',
    );
  });

  t.test('one failure is forgiven for each quarter of an hour without a try', async (t) => {
    const request = account('calm', '192.0.2.3');
    for (let i = 0; i < 5; i++) await guard.allowPassword(request, at(0));
    await guard.allowPassword(request, at(30 * MINUTE));
    t.match(await guard.allowPassword(request, at(30 * MINUTE)), { allowed: true }, 'the fifth again');
    t.match(await guard.allowPassword(request, at(30 * MINUTE)), { allowed: false });
  });

  t.test('a stranger cannot shut out a browser that the user has signed in with', async (t) => {
    const stranger = account('mine');
    for (let i = 0; i < 60; i++) await guard.allowPassword(stranger, at(i * HOUR));
    const now = at(60 * HOUR);
    for (let i = 0; i < 60; i++) await guard.allowPassword(account(`noise-${i}`), now);
    t.match(await guard.allowPassword(stranger, now), { allowed: false });
    const known = { ...stranger, deviceId: 'dev_1' };
    for (let i = 0; i < 10; i++) t.match(await guard.allowPassword(known, now), { allowed: true });
    t.match(await guard.allowPassword(known, now), { allowed: false, rule: 'device' });
    t.match(await guard.allowPassword({ ...known, deviceId: 'dev_2' }, now), { allowed: true });
  });

  t.test('one address tries fifty accounts, then waits', async (t) => {
    for (let i = 0; i < 50; i++) {
      t.match(await guard.allowPassword(account(`many-${i}`, '192.0.2.4'), at(0)), { allowed: true });
    }
    t.strictSame(await guard.allowPassword(account('many-50', '192.0.2.4'), at(0)), {
      allowed: false,
      rule: 'address',
      retryAt: at(5),
    });
    const rows = db.selectFrom('factor_locks').selectAll().where('subject_key', '=', 'many-50');
    t.strictSame(await rows.execute(), [], 'a refusal is no try of the account');
    t.match(await guard.allowPassword(account('many-50', '192.0.2.5'), at(0)), { allowed: true });
  });

  t.test('IPv6: a whole /64 is one address', async (t) => {
    for (let i = 0; i < 50; i++) await guard.allowPassword(account(`six-${i}`, `2001:db8::${i}`), at(0));
    t.match(await guard.allowPassword(account('six', '2001:db8::ffff'), at(0)), { rule: 'address' });
    t.match(await guard.allowPassword(account('six', '2001:db8:0:1::1'), at(0)), { allowed: true });
    t.match(await guard.allowPassword(account('four', '::ffff:192.0.2.4'), at(1)), { rule: 'address' });
  });

  t.test(
    'a hundred wrong ones in a row close the account to strangers until somebody lifts it',
    async (t) => {
      const request = account('hundred', '192.0.2.6');
      for (let i = 0; i < 100; i++) {
        t.match(await guard.allowPassword(request, at(i * DAY)), { allowed: true });
      }
      const refused = await guard.allowPassword(request, at(100 * DAY));
      t.ok(!refused.allowed && isUntilLifted(refused.retryAt));
      t.match(await guard.allowPassword({ ...request, deviceId: 'dev_1' }, at(100 * DAY)), { allowed: true });
      await guard.unlock(db, 'hundred', 'password');
      t.match(await guard.allowPassword(request, at(100 * DAY)), { allowed: true });
      const rows = db.selectFrom('factor_locks').selectAll().where('subject_key', '=', 'hundred');
      t.equal((await rows.execute()).length, 1, 'the waits of devices went too');
    },
  );

  t.test('the limits are settings', async (t) => {
    const strict = guardOn(storage, defaults({ passwords: { perAccount: 1, firstWait: '1m' } }));
    const request = account('strict', '192.0.2.7');
    t.match(await strict.allowPassword(request, at(0)), { allowed: true });
    t.match(await strict.allowPassword(request, at(0)), { allowed: false, retryAt: at(60) });
  });
});
