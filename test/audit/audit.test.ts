import { Ajv } from 'ajv';
import t from 'tap';
import { auditSection, auditSweeps, createAudit } from '../../src/audit/index.ts';
import { after } from '../../src/lib/clock.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const at = new Date('2026-03-01T12:00:00.000Z');
const audit = createAudit();

t.test('records events with everything that is known of them, in one statement', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    await audit.record(db, at, []);
    await audit.record(db, at, [
      {
        name: 'login.step.passed',
        actor: 'usr_1',
        subject: 'usr_1',
        appId: 'shop',
        loginId: 'login_1',
        sessionId: 'ses_1',
        ip: '192.0.2.1',
        userAgent: 'x'.repeat(5_000),
        result: 'pass',
        data: { method: 'password', tries: 2, first: true, none: null },
      },
      { name: 'login.step.skipped', reason: 'condition' },
    ]);
    const rows = await db.selectFrom('audit_events').selectAll().orderBy('name').execute();
    t.equal(rows.length, 2);
    const [passed, skipped] = rows;
    t.match(passed, {
      id: /^evt_[\w-]{22}$/,
      at,
      name: 'login.step.passed',
      actor: 'usr_1',
      subject: 'usr_1',
      app_id: 'shop',
      login_id: 'login_1',
      session_id: 'ses_1',
      ip: '192.0.2.1',
      result: 'pass',
      reason: null,
      data: { method: 'password', tries: 2, first: true, none: null },
    });
    t.equal(passed?.user_agent?.length, 300, 'a stranger does not fill the table');
    t.match(skipped, { name: 'login.step.skipped', reason: 'condition', actor: null, data: null });
  });
});

t.test('what others have said arrives as it was said', async (t) => {
  const words = ['$1 {"a": [null]} \\u0000 \\', 'Zoë 😀 \n\t\u0001', 'cut 😀'.slice(0, -1)];
  await forEachDatabase(t, async (t, { db }) => {
    const moment = new Date('2026-03-01T23:59:59.999Z');
    await audit.record(
      db,
      moment,
      words.map((reason) => ({ name: 'said', reason, userAgent: reason, actor: reason, subject: reason })),
    );
    const rows = await db.selectFrom('audit_events').selectAll().execute();
    const [plain, signs] = words;
    const expected = [plain, signs, 'cut \ufffd'].map((said) => ({
      ...{ at: moment, reason: said, user_agent: said, actor: said, subject: said },
    }));
    t.match(rows, expected, 'in order, and half a character as in any text');
  });
});

t.test('an event goes with the transaction that it tells of', async (t) => {
  await forEachDatabase(t, async (t, { db, transaction }) => {
    const failed = transaction(async (tx) => {
      await audit.record(tx, at, [{ name: 'session.created' }]);
      throw new Error('no');
    });
    await t.rejects(failed, { message: 'no' });
    t.strictSame(await db.selectFrom('audit_events').selectAll().execute(), []);
  });
});

const day = 86_400_000;

t.test('the record is kept as long as the settings say', async (t) => {
  const cases: [retention: string, left: number][] = [
    ['forever', 2_503],
    ['400d', 3],
    ['30d', 2],
  ];
  await forEachDatabase(t, async (t, { db, sweep, sweepNow }) => {
    let retention = '';
    sweep(...auditSweeps({ get: <T>() => ({ retention }) as T }));
    const many = Array.from({ length: 500 }, () => ({ name: 'login.started' }));
    for (let i = 0; i < 5; i += 1) await audit.record(db, after(at, -401 * day), many);
    await audit.record(db, after(at, -399 * day), [{ name: 'login.started' }]);
    await audit.record(db, after(at, -30 * day), [{ name: 'login.started' }]);
    await audit.record(db, at, [{ name: 'login.started' }]);
    for (const [written, expected] of cases) {
      retention = written;
      await sweepNow(at);
      const left = await db.selectFrom('audit_events').select('id').execute();
      t.equal(left.length, expected, written);
    }
  });
});

t.test('events are written while old ones are removed', async (t) => {
  await postgresOnly(t, async (t, { db, sweep, sweepNow, transaction }) => {
    sweep(...auditSweeps({ get: <T>() => ({ retention: '1d' }) as T }));
    const many = Array.from({ length: 500 }, () => ({ name: 'login.started' }));
    for (let i = 0; i < 4; i += 1) await audit.record(db, after(at, -2 * day), many);
    await transaction(async (tx) => {
      await audit.record(tx, at, [{ name: 'login.finished' }]);
      t.equal(await sweepNow(at), 2_000, 'a login that is under way holds nothing up');
      await audit.record(tx, at, [{ name: 'session.created' }]);
    });
    t.equal((await db.selectFrom('audit_events').select('id').execute()).length, 2);
  });
});

t.test('the setting', (t) => {
  const valid = new Ajv({ strict: false, useDefaults: true }).compile(auditSection.schema);
  const standard = {};
  t.ok(valid(standard));
  t.strictSame(standard, { retention: '400d' });
  for (const retention of ['forever', '1d', '90d', '36500d']) {
    t.ok(valid({ retention }), retention);
    t.strictSame(auditSection.check?.({ retention }, {} as never), [], retention);
  }
  for (const retention of ['0', '0d', 'never', '']) t.notOk(valid({ retention }), retention);
  for (const retention of ['1h', '40000d']) {
    t.match(auditSection.check?.({ retention }, {} as never), [{ path: 'retention' }], retention);
  }
  t.end();
});
