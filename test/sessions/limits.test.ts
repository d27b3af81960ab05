import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { sha256 } from '../../src/crypto/index.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { createSessions, isWithin, oldestFactorMs, savingOidc } from '../../src/sessions/index.ts';
import type { Factor } from '../../src/sessions/types.ts';
import { happened } from '../../src/storage/index.ts';
import { forEachDatabase } from '../helpers/database.ts';

const start = new Date('2025-01-01T12:00:00Z');
const at = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const password: Factor = { method: 'password', kind: 'knowledge', amr: ['pwd'], at: start.getTime() };
const sessions = createSessions({
  settings: { get: <T>() => ({ idle: '8h', absolute: '30d' }) as T },
  random: systemRandom,
  audit: createAudit(),
});
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

await forEachDatabase(t, async (t, { db, transaction }) => {
  const create = (userId: string, userAgent: string | null = firefox) =>
    transaction((tx) =>
      sessions.create(tx, { userId, factors: [password], ip: '192.0.2.1', userAgent }, at(0)),
    );
  const cookie = (id: string, minutes: number) =>
    transaction((tx) =>
      happened(tx, savingOidc(tx, id, { cookieHash: sha256(id), payload: {} }, at(minutes))),
    );

  t.test('an app may ask for shorter limits than those of the session', async (t) => {
    const { id } = await create('usr_1');
    await cookie(id, 0);
    const limits = { idle: '15m', absolute: '2h' };
    const check = async (minutes: number) => {
      const session = await sessions.findByCookie(db, id, at(minutes));
      if (!session) throw new Error('the session has ended for everyone');
      return [isWithin(session, limits, at(minutes)), oldestFactorMs(session, limits, null, at(minutes))];
    };
    const twoHours = 2 * 3_600_000;
    t.strictSame(await check(14), [true, twoHours]);
    t.strictSame(await check(28), [true, twoHours], 'used in between');
    t.strictSame(await check(44), [false, 0], 'unused for a quarter of an hour');
    t.strictSame(await check(45), [false, 0], 'what another app did in between does not mend that');
    await transaction((tx) => sessions.strengthen(tx, id, [{ ...password, at: at(46).getTime() }], at(46)));
    await cookie(id, 46);
    t.strictSame(await check(47), [true, twoHours], 'signed in again');
    for (let minutes = 60; minutes < 46 + 120; minutes += 14) await check(minutes);
    t.strictSame(await check(46 + 119), [true, twoHours]);
    t.strictSame(await check(46 + 120), [false, twoHours], 'two hours ago');
  });

  t.test('what a request demands counts as well', async (t) => {
    const session = await create('usr_2');
    t.equal(oldestFactorMs(session, undefined, null, at(400)), null);
    t.equal(oldestFactorMs(session, { absolute: '1h' }, 60_000, at(0)), 60_000);
    t.equal(oldestFactorMs(session, { absolute: '1h' }, 7_200_000, at(0)), 3_600_000);
    t.equal(oldestFactorMs(undefined, { idle: '1m' }, null, at(400)), null, 'nobody is signed in');
  });

  t.test('the list of a user: live ones with device and time, the one used last first', async (t) => {
    const phone =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1';
    const [first, second, third] = [
      await create('usr_3'),
      await create('usr_3', phone),
      await create('usr_3', 'curl/8'),
    ];
    const other = await create('usr_4', null);
    for (const { id } of [first, second, third]) await cookie(id, 0);
    await sessions.findByCookie(db, second.id, at(10));
    await sessions.findByCookie(db, third.id, at(5));
    const list = await sessions.list(db, 'usr_3', at(11));
    t.strictSame(
      list.map(({ id, device, lastSeenAt, createdAt, ip }) => ({ id, device, lastSeenAt, createdAt, ip })),
      [
        { id: second.id, device: { browser: 'Safari', system: 'iPhone' }, lastSeenAt: at(10) },
        { id: third.id, device: { browser: null, system: null }, lastSeenAt: at(5) },
        { id: first.id, device: { browser: 'Firefox', system: 'Linux' }, lastSeenAt: at(0) },
      ].map((row) => ({ ...row, createdAt: at(0), ip: '192.0.2.1' })),
    );
    await transaction((tx) => sessions.revoke(tx, second.id, 'user', at(12)));
    t.strictSame(
      (await sessions.list(db, 'usr_3', at(12))).map(({ id }) => id),
      [third.id, first.id],
    );
    t.equal((await sessions.list(db, 'usr_3', at(8 * 60 + 1))).length, 1, 'unused for eight hours');
    t.match(await sessions.list(db, 'usr_4', at(1)), [{ id: other.id, device: { browser: null } }]);
  });
});
