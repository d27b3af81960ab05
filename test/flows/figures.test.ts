import { sql } from 'kysely';
import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { openDesk, password, withBackup } from './desk-support.ts';
import { ada, newestCode, openWorld } from './harness.ts';

const now = new Date('2026-03-01T12:00:00Z');
const clock = { now: () => now };
const minute = 60_000;
const hour = 60 * minute;
const audit = createAudit();

type Line = [seconds: number, name: string, step?: string, method?: string | null, reason?: string];

/** One login as the record tells it: seconds after its begin, what happened, at which step, by which method. */
async function record(
  { db }: Storage,
  loginId: string,
  { version, agoMs, flow = 'main' }: { version: number; agoMs: number; flow?: string },
  lines: Line[],
): Promise<void> {
  const at = (seconds: number) => new Date(now.getTime() - agoMs + seconds * 1_000);
  await audit.record(db, at(0), [{ name: 'login.started', loginId, data: { flow, version } }]);
  for (const [seconds, name, step, method = null, reason = null] of lines) {
    const [plain = '', result = null] = name.split(' ');
    const data = step === undefined ? {} : { step, method };
    await audit.record(db, at(seconds), [{ name: `login.${plain}`, loginId, result, reason, data }]);
  }
}

const page = (
  method: string | null,
  counts: [number, number, number, number],
  times: [number, number] | null,
) => ({
  ...{ method, shown: counts[0], passed: counts[1], failed: counts[2], abandoned: counts[3] },
  ...{ p50Ms: times === null ? null : times[0] * 1_000, p95Ms: times === null ? null : times[1] * 1_000 },
});

t.test('counted by hand', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, password);
    await world.publish(withBackup);
    const of = (version: number, agoMs: number) => ({ version, agoMs });
    await record(storage, 'lgn_through', of(2, 2 * hour), [
      [0, 'step.shown', 'first', 'password'],
      [10, 'step.passed', 'first', 'password'],
      [10, 'step.shown', 'second', 'sms-otp'],
      [30, 'step.failed', 'second', 'sms-otp', 'wrong'],
      [40, 'step.passed', 'second', 'sms-otp'],
      [40, 'finished ok'],
    ]);
    await record(storage, 'lgn_left', of(2, hour), [
      [0, 'step.shown', 'first', 'password'],
      [20, 'step.passed', 'first', 'password'],
      [20, 'step.shown', 'second', 'sms-otp'],
    ]);
    await record(storage, 'lgn_cancelled', of(2, 5 * minute), [
      [0, 'step.shown', 'first', 'password'],
      [5, 'step.failed', 'first', 'password', 'wrong'],
      [9, 'step.failed', 'first', 'password', 'wrong'],
      [11, 'abandoned cancelled'],
    ]);
    await record(storage, 'lgn_skipped', of(2, 3 * hour), [
      [0, 'step.shown', 'first', 'password'],
      [30, 'step.passed', 'first', 'password'],
      [30, 'step.skipped', 'second', null, 'condition'],
      [30, 'finished ok'],
    ]);
    await record(storage, 'lgn_running', of(2, 5 * minute), [[0, 'step.shown', 'first', 'password']]);
    await record(storage, 'lgn_disabled', of(2, 3 * hour), [
      [0, 'step.shown', 'first', 'password'],
      [4, 'finished failed'],
    ]);
    await record(storage, 'lgn_before', of(1, 20 * hour), [
      [0, 'step.shown', 'first', 'password'],
      [5, 'step.passed', 'first', 'password'],
      [5, 'step.shown', 'second'],
      [15, 'step.shown', 'second', 'backup-code'],
      [20, 'step.shown', 'second'],
      [25, 'step.shown', 'second', 'backup-code'],
      [35, 'step.passed', 'second', 'backup-code'],
      [35, 'finished ok'],
    ]);
    await record(storage, 'lgn_elsewhere', { version: 2, agoMs: hour, flow: 'other' }, [
      [0, 'step.shown', 'first', 'password'],
    ]);
    await record(storage, 'lgn_long_ago', of(2, 25 * hour), [[0, 'step.shown', 'first', 'password']]);

    const desk = openDesk(storage, clock);
    const one = await desk.figures('main', { version: 2, sinceMs: 24 * hour });
    t.same(one.totals, { started: 6, finished: 2, failed: 1, abandoned: 2 }, 'and one under way');
    t.same(one.steps, [
      {
        ...{ step: 'first', skipped: {} },
        pages: [{ step: 'first', ...page('password', [6, 3, 2, 1], [20, 29]) }],
      },
      {
        ...{ step: 'second', skipped: { condition: 1 } },
        pages: [{ step: 'second', ...page('sms-otp', [2, 1, 1, 1], [30, 30]) }],
      },
    ]);
    t.match(one, {
      from: '2026-02-28T12:00:00.000Z',
      to: '2026-03-01T12:00:00.000Z',
      flow: 'main',
      version: 2,
    });

    const all = await desk.figures('main', { version: null, sinceMs: 24 * hour });
    t.same(all.totals, { started: 7, finished: 3, failed: 1, abandoned: 2 });
    t.same(all.steps[0]?.pages, [{ step: 'first', ...page('password', [7, 4, 2, 1], [15, 28.5]) }]);
    t.same(all.steps[1]?.pages, [
      { step: 'second', ...page('sms-otp', [2, 1, 1, 1], [30, 30]) },
      { step: 'second', ...page(null, [1, 0, 0, 0], null) },
      { step: 'second', ...page('backup-code', [1, 1, 0, 0], [20, 20]) },
    ]);
    t.same(await desk.figures('main', { version: 1, sinceMs: hour }).then(({ steps }) => steps), []);
    await t.rejects(desk.figures('main', { version: 9, sinceMs: hour }), { code: 'version_unknown' });
    await t.rejects(desk.figures('nothing', { version: null, sinceMs: hour }), { code: 'flow_unknown' });
  }),
);

t.test('what logins record', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, withBackup);
    await world.addUser({ ...ada, backupCodes: ['KTQ7X-M3WPA'] });
    const credentials = { username: 'ada', password: ada.password ?? '' };
    const browser = await world.browser();
    await browser.get();
    await browser.get();
    world.clock.pass(4_000);
    await browser.submit(credentials);
    world.clock.pass(1_000);
    await browser.submit({ action: 'choose:backup-code' });
    world.clock.pass(1_000);
    await browser.submit({ action: 'choose:sms-otp' });
    world.clock.pass(6_000);
    await browser.submit({ code: newestCode(world) });
    const left = await world.browser();
    world.clock.pass(4_000);
    await left.submit(credentials);
    world.clock.pass(1_000);
    const { totals, steps } = await openDesk(storage, world.clock).figures('main', {
      version: 1,
      sinceMs: hour,
    });
    t.same(totals, { started: 2, finished: 1, failed: 0, abandoned: 0 });
    t.match(steps[0]?.pages, [{ method: 'password', shown: 2, passed: 2, p50Ms: 4_000 }]);
    t.match(steps[1]?.pages, [
      { method: 'sms-otp', shown: 2, passed: 1, p50Ms: 8_000 },
      { method: 'backup-code', shown: 1, passed: 0 },
    ]);
    world.clock.pass(16 * minute);
    const later = await openDesk(storage, world.clock).figures('main', { version: 1, sinceMs: hour });
    t.equal(later.totals.abandoned, 1);
    t.match(later.steps[1]?.pages[0], { method: 'sms-otp', abandoned: 1 });
  }),
);

t.test('of a hundred thousand events', (t) =>
  postgresOnly(t, async (t, storage) => {
    const logins = 20_000;
    const world = await openWorld(t, storage, withBackup);
    const kinds = sql`(values
      (0, 'login.started', null, '{"flow":"main","version":1}'),
      (0, 'login.step.shown', null, '{"step":"first","method":"password"}'),
      (9, 'login.step.passed', null, '{"step":"first","method":"password"}'),
      (9, 'login.step.shown', null, '{"step":"second","method":"sms-otp"}'),
      (29, 'login.finished', 'ok', '{}'))`;
    await sql`insert into audit_events (id, at, name, login_id, result, data)
      select 'evt_' || n || '_' || k.name || k.s, ${now}::timestamptz - interval '6 days' + n * interval '20 s' + k.s * interval '1 s',
        k.name, 'lgn_' || n, k.result, k.data::jsonb
      from generate_series(1, ${sql.lit(logins)}) n, ${kinds} as k (s, name, result, data)`.execute(
      storage.db,
    );
    await sql`analyze audit_events`.execute(storage.db);
    const began = performance.now();
    const { totals } = await openDesk(storage, clock).figures('main', {
      version: null,
      sinceMs: 7 * 24 * hour,
    });
    const tookMs = Math.round(performance.now() - began);
    t.same(totals, { started: logins, finished: logins, failed: 0, abandoned: 0 });
    t.ok(tookMs < 5_000, `${tookMs} ms`);
    world.clock.pass(1);
  }),
);
