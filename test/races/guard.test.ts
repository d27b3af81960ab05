import t from 'tap';
import { sendRiders } from '../../src/storage/index.ts';
import { at, guardOn, times, verified } from '../guard/fixture.ts';
import { postgresOnly } from '../helpers/database.ts';

await postgresOnly(t, async (t, storage) => {
  const { db } = storage;
  const guard = guardOn(storage);

  t.test('200 failures at once count exactly, and lock once', async (t) => {
    const answers = await times(200, () => guard.failed(db, 'burst', 'sms-otp', at(0)));
    t.equal(answers.filter(({ lockedUntil }) => lockedUntil === null).length, 4);
    const row = await db
      .selectFrom('factor_locks')
      .selectAll()
      .where('subject_key', '=', 'burst')
      .executeTakeFirstOrThrow();
    t.match(row, { failures: 200, consecutive: 200, level: 1 });
  });

  t.test('100 passwords for one account at once: 5 are tried', async (t) => {
    const request = { subjectKey: 'one', ip: '192.0.2.1', deviceId: null };
    const answers = await times(100, () => guard.allowPassword(request, at(0)));
    t.equal(answers.filter(({ allowed }) => allowed).length, 5);
    for (const answer of answers) if (!answer.allowed) t.match(answer, { rule: 'account', retryAt: at(5) });
  });

  t.test('100 passwords from one address at once: 50 are tried', async (t) => {
    const answers = await times(100, (i) =>
      guard.allowPassword({ subjectKey: `many-${i}`, ip: '192.0.2.2', deviceId: null }, at(0)),
    );
    t.equal(answers.filter(({ allowed }) => allowed).length, 50);
  });

  t.test(
    'tries and passes of the same accounts and addresses never wait for each other for ever',
    async (t) => {
      await times(200, async (i) => {
        const request = { subjectKey: `mixed-${i % 3}`, ip: `192.0.2.${10 + (i % 2)}`, deviceId: null };
        const { allowed } = await guard.allowPassword(request, at(0));
        if (allowed) await sendRiders(db, [guard.passingPassword(request, at(0))]);
      });
      t.pass('no deadlock');
    },
  );

  t.test('sixteen users behind one address, all of them real: none is refused', async (t) => {
    const ip = '192.0.2.30';
    await times(16, async (user) => {
      for (let round = 0; round < 5; round++) {
        const now = at(round * 60);
        const password = { subjectKey: `real-${user}`, ip, deviceId: null };
        const send = { numberHash: `real-${user}-${round}`, userId: `usr_${user}`, ip };
        t.match(await guard.allowPassword(password, now), { allowed: true });
        await sendRiders(db, [guard.passingPassword(password, now)]);
        t.match(await guard.allowSend(send, now), { allowed: true });
        await verified(guard, db, { ip });
      }
    });
  });

  t.test('40 messages to one number at once: one goes', async (t) => {
    const answers = await times(40, (i) =>
      guard.allowSend({ numberHash: 'n', userId: `usr_n${i}`, ip: `198.51.100.${i}` }, at(0)),
    );
    t.equal(answers.filter(({ allowed }) => allowed).length, 1);
    for (const answer of answers) if (!answer.allowed) t.match(answer, { rule: 'number', retryAt: at(30) });
  });

  t.test('who has yet to pass a challenge does not close a number for its owner', async (t) => {
    const numberHash = 'name:owner';
    const stranger = (i: number, now: Date) =>
      guard.allowSend(
        { numberHash, userId: null, ip: `203.0.113.${i}`, loginId: `log_${i}`, firstContact: true },
        now,
      );
    for (let round = 0; round < 8; round++) {
      const now = at(round * 3_600);
      const owner = { numberHash, userId: null, ip: '192.0.2.99', deviceId: 'dev_owner' };
      const [answer, ...strangers] = await Promise.all([
        new Promise((resolve) => setTimeout(resolve, round)).then(() => guard.allowSend(owner, now)),
        ...Array.from({ length: 32 }, (_, i) => stranger(i, now)),
      ]);
      t.match(answer, { allowed: true }, `round ${round}`);
      for (const one of strangers) t.equal(one.allowed, false);
      await verified(guard, db, { ip: '192.0.2.99', deviceId: 'dev_owner' });
    }
    const rows = await db
      .selectFrom('send_histories')
      .select('key')
      .where('key', 'like', '%203.0.113.%')
      .execute();
    t.same(rows, [], 'nothing is counted for them');
  });

  t.test('60 messages from one address at once: 20 go, and the others cost nobody anything', async (t) => {
    const ask = (i: number, now: Date) =>
      guard.allowSend({ numberHash: `a${i}`, userId: `usr_a${i}`, ip: '198.51.100.200' }, now);
    const answers = await times(60, (i) => ask(i, at(0)));
    t.equal(answers.filter(({ allowed }) => allowed).length, 20);
    const rows = await db
      .selectFrom('send_histories')
      .select('times')
      .where('key', 'like', 'number:a%')
      .execute();
    t.equal(
      rows.reduce((sum, { times }) => sum + times.length, 0),
      20,
    );
  });
});
