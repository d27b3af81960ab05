import t from 'tap';
import { forEachDatabase } from '../helpers/database.ts';
import { at, codesOn, settings, wrong } from './fixture.ts';

await forEachDatabase(t, async (t, storage) => {
  t.test('a code is good once, in its own scope, until it runs out', async (t) => {
    const codes = codesOn(storage);
    const issued = await codes.issue(0);
    t.match(issued.code, /^\d{6}$/);
    t.strictSame(issued.expiresAt, at(300));
    t.match(await codes.find(1), {
      sends: 1,
      lastSentAt: at(0),
      triesLeft: 5,
      codeId: issued.codeId,
      codeExpiresAt: at(300),
    });

    const stranger = codesOn(storage);
    const other = await stranger.issue(0);
    t.equal(await stranger.type(issued.code === other.code ? wrong(other.code) : issued.code, 1), 'wrong');

    t.equal(await codes.type(wrong(issued.code), 1), 'wrong');
    t.equal(await codes.type(` ${issued.code.slice(0, 3)}-${issued.code.slice(3)}`, 2), issued.codeId);
    t.equal(await codes.consume(issued.codeId, 2), true);
    t.equal(await codes.consume(issued.codeId, 2), false);
    t.equal(await codes.type(issued.code, 3), 'none');
    t.match(await codes.find(3), { triesLeft: 0, codeId: null });
  });

  t.test('nothing of a code stands in the database', async (t) => {
    const codes = codesOn(storage);
    const { code, codeId } = await codes.issue(0);
    const row = await storage.db
      .selectFrom('otp_codes')
      .selectAll()
      .where('id', '=', codeId)
      .executeTakeFirstOrThrow();
    t.match(row.code_hash, /^k1\.[\w-]{43}$/);
    t.notOk(Object.values(row).includes(code));
  });

  t.test('run out: said as such to who has the right one, and never consumed', async (t) => {
    const codes = codesOn(storage);
    const issued = await codes.issue(0);
    t.equal(await codes.type(issued.code, 300), 'expired');
    t.equal(await codes.type(wrong(issued.code), 300), 'wrong');
    t.equal(await codes.consume(issued.codeId, 300), false);
    t.match(await codes.find(300), { triesLeft: 0, codeId: null });
  });

  t.test('no code outlives its login', async (t) => {
    const codes = codesOn(storage);
    await codes.issue(0);
    const late = await codes.issue(800);
    t.strictSame(late.expiresAt, at(900));
  });

  t.test('the fifth wrong try is the last, the right code included', async (t) => {
    const codes = codesOn(storage);
    const { code } = await codes.issue(0);
    for (let i = 0; i < 5; i++) t.equal(await codes.type(wrong(code), i), 'wrong');
    t.equal(await codes.type(code, 6), 'exhausted');
    t.match(await codes.find(6), { triesLeft: 0 });
    t.equal(await codes.type(code, 6, { attempts: 3 }), 'exhausted');
  });

  t.test('ten tries are all that a login has', async (t) => {
    const codes = codesOn(storage);
    let tried = 0;
    for (const seconds of [0, 40, 80]) {
      const issued = await codes.tryIssue(seconds);
      if ('refused' in issued) {
        t.strictSame(issued, { refused: 'too-many' }, 'another message would be of no use');
        break;
      }
      await codes.accepted(issued, seconds);
      while ((await codes.type(wrong(issued.code), seconds + 1)) === 'wrong') tried++;
    }
    t.equal(tried, 10);
  });

  t.test('what becomes of two codes', async (t) => {
    const table = [
      { outcome: 'accepted', older: 'wrong', newer: true, triesLeft: 5 },
      { outcome: 'unknown', older: true, newer: true, triesLeft: 2 },
      { outcome: 'undelivered', older: true, newer: 'wrong', triesLeft: 2 },
    ] as const;
    for (const row of table) {
      await t.test(row.outcome, async (t) => {
        for (const which of ['older', 'newer'] as const) {
          const codes = codesOn(storage);
          const older = await codes.issue(0);
          for (let i = 0; i < 3; i++) await codes.type(wrong(older.code), 10);
          const newer = await codes.issue(30);
          if (row.outcome === 'accepted') await codes.accepted(newer, 31);
          if (row.outcome === 'undelivered') await codes.undelivered(newer, 31);
          t.match(await codes.find(32), { triesLeft: row.triesLeft, sends: 2 });
          const typed = { older, newer }[which];
          if (older.code === newer.code) continue;
          const expected = row[which] === true ? typed.codeId : row[which];
          t.equal(await codes.type(typed.code, 32), expected, which);
          if (row[which] === true) t.equal(await codes.consume(typed.codeId, 33), true);
          else t.equal(await codes.consume(typed.codeId, 33), false, 'a dead code is not consumed either');
        }
      });
    }
  });

  t.test('of two live codes only one is ever used', async (t) => {
    const codes = codesOn(storage);
    const older = await codes.issue(0);
    const newer = await codes.issue(30);
    t.equal(await codes.consume(older.codeId, 31), true);
    t.equal(await codes.consume(newer.codeId, 31), false);
  });

  t.test('tries spent on a code before its acceptance was known stay spent', async (t) => {
    const codes = codesOn(storage);
    const only = await codes.issue(0);
    for (let i = 0; i < 4; i++) await codes.type(wrong(only.code), 1);
    await codes.accepted(only, 5);
    await codes.accepted(only, 6);
    t.match(await codes.find(6), { triesLeft: 1 });
    t.equal(await codes.type(wrong(only.code), 7), 'wrong');
    t.equal(await codes.type(only.code, 7), 'exhausted');
  });

  t.test('an older code without tries does not use up those of the newer one', async (t) => {
    const codes = codesOn(storage);
    const older = await codes.issue(0);
    for (let i = 0; i < 5; i++) await codes.type(wrong(older.code), 1);
    const newer = await codes.issue(30);
    t.match(await codes.find(31), { triesLeft: 5, codeId: newer.codeId });
    t.equal(await codes.type(newer.code, 31), newer.codeId);
  });

  t.test('late and repeated news change nothing', async (t) => {
    const codes = codesOn(storage);
    const first = await codes.issue(0);
    const second = await codes.issue(30);
    await codes.undelivered(second, 31);
    await codes.accepted(second, 32);
    t.match(await codes.find(33), { codeId: first.codeId }, 'a code that is gone kills no other');
    await codes.accepted(first, 34);
    await codes.undelivered(first, 35);
    t.match(await codes.find(36), { codeId: first.codeId }, 'an accepted code stays');
  });

  t.test('the server decides when another message may go', async (t) => {
    const codes = codesOn(storage);
    await codes.issue(0);
    t.strictSame(await codes.tryIssue(29), { refused: 'too-soon', retryAt: at(30) });
    await codes.issue(30);
    t.strictSame(await codes.tryIssue(59), { refused: 'too-soon', retryAt: at(60) });
    t.match(await codes.find(59), { sends: 2, lastSentAt: at(30) }, 'a refusal counts for nothing');
  });

  t.test('one message and its resends are all that a login sends', async (t) => {
    const codes = codesOn(storage);
    for (let i = 0; i <= settings.resends; i++) await codes.issue(i * 30);
    t.strictSame(await codes.tryIssue(400), { refused: 'too-many' });
    const without = codesOn(storage);
    await without.issue(0, { resends: 0 });
    t.strictSame(await without.tryIssue(60, { resends: 0 }), { refused: 'too-many' });
  });

  t.test('a scope that nobody sent in', async (t) => {
    const codes = codesOn(storage);
    t.equal(await codes.find(0), null);
    t.equal(await codes.type('123456', 0), 'none');
  });
});
