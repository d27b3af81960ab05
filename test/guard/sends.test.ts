import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { at, DAY, defaults, guardOn, HOUR, MINUTE, verified } from './fixture.ts';

await forEachDatabase(t, async (t, storage) => {
  const guard = guardOn(storage);
  const send = (numberHash: string, userId: string | null, seconds: number, ip = '192.0.2.1') =>
    guard.allowSend({ numberHash, userId, ip }, at(seconds));

  t.test('one number: 1 in 30 s, 5 in 10 min, 10 a day', async (t) => {
    // Each from another user and address, so that only the number counts.
    let who = 0;
    const next = (seconds: number) => send('number', `usr_n${++who}`, seconds, `198.51.100.${who}`);
    const refused = (seconds: number) => ({ allowed: false, rule: 'number', retryAt: at(seconds) });
    t.match(await next(0), { allowed: true });
    t.match(await next(29), refused(30));
    for (const seconds of [30, 60, 90, 120]) t.match(await next(seconds), { allowed: true }, `${seconds} s`);
    t.match(await next(150), refused(10 * MINUTE), 'the sixth within ten minutes');
    t.match(await next(10 * MINUTE), { allowed: true });
    t.match(await next(10 * MINUTE + 29), refused(10 * MINUTE + 30));
    for (let i = 1; i <= 4; i++) t.match(await next(i * HOUR), { allowed: true });
    t.match(await next(5 * HOUR), refused(DAY), 'the eleventh of the day');
    t.match(await next(DAY), { allowed: true });
    t.match(await next(DAY + 29), refused(DAY + 30));
  });

  t.test('one user: 10 an hour, whatever the numbers', async (t) => {
    for (let i = 0; i < 10; i++) {
      t.match(await send(`user-${i}`, 'usr_many', i, `198.51.101.${i}`), { allowed: true });
    }
    t.match(await send('user-10', 'usr_many', 100, '198.51.101.10'), {
      allowed: false,
      rule: 'user',
      retryAt: at(HOUR),
    });
    t.match(
      await send('user-10', 'usr_other', 100, '198.51.101.10'),
      { allowed: true },
      'the number lost nothing',
    );
    t.match(await send('user-11', 'usr_many', HOUR, '198.51.101.11'), { allowed: true });
  });

  t.test('one address: 20 an hour that nobody verified', async (t) => {
    const ip = '203.0.113.1';
    for (let i = 0; i < 20; i++) t.match(await send(`a-${i}`, null, i, ip), { allowed: true });
    t.match(await send('a-20', null, 20, ip), { allowed: false, rule: 'address', retryAt: at(HOUR) });
    await verified(guard, storage.db, { ip });
    t.match(await send('a-20', null, 22, ip), { allowed: true }, 'one was verified');
    t.match(await send('a-21', null, 23, ip), { allowed: false });
    t.match(await send('a-21', null, 23, '203.0.113.2'), { allowed: true });
  });

  t.test('an office where everybody types the code is never refused', async (t) => {
    const ip = '203.0.113.3';
    for (let i = 0; i < 200; i++) {
      t.match(await send(`office-${i}`, `usr_o${i}`, i, ip), { allowed: true });
      if (i >= 15) await verified(guard, storage.db, { ip });
    }
  });

  t.test('what is given back without need harms nothing', async (t) => {
    await verified(guard, storage.db, { ip: '203.0.113.9' });
    t.match(await send('b-1', null, 0, '203.0.113.9'), { allowed: true });
  });

  t.test('the limits are settings; an empty list is none', async (t) => {
    const off = guardOn(
      storage,
      defaults({ sends: { perNumber: [], perUser: [], perAddress: [], perNetwork: [] } }),
    );
    const loose = guardOn(
      storage,
      defaults({ sends: { perNumber: ['2 in 1m'], perAddress: [], perNetwork: [] } }),
    );
    for (let i = 0; i < 30; i++) {
      t.match(await off.allowSend({ numberHash: 'c', userId: 'usr_c', ip: '203.0.113.4' }, at(0)), {
        allowed: true,
      });
    }
    const request = { numberHash: 'd', userId: 'usr_d', ip: '203.0.113.4' };
    t.match(await loose.allowSend(request, at(0)), { allowed: true });
    t.match(await loose.allowSend(request, at(1)), { allowed: true });
    t.match(await loose.allowSend(request, at(2)), { allowed: false, retryAt: at(60) });
  });

  t.test('no row grows beyond what its limits reach', async (t) => {
    for (let i = 0; i < 30; i++) await send('long', `usr_l${i}`, i * DAY, `198.51.102.${i}`);
    const row = await storage.db
      .selectFrom('send_histories')
      .selectAll()
      .where('key', '=', 'number:long')
      .executeTakeFirstOrThrow();
    t.ok(row.times.length <= 10);
    t.strictSame(row.expires_at, at(30 * DAY));
  });
});
