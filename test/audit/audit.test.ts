import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { forEachDatabase } from '../helpers/database.ts';

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
