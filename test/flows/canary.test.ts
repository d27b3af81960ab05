import t from 'tap';
import { createFlowCatalog } from '../../src/flows/catalog.ts';
import type { Browser } from '../../src/flows/types.ts';
import { isChosen } from '../../src/flows/versions/canary.ts';
import { postgresOnly } from '../helpers/database.ts';
import { documentOf, openDesk, password, withBackup, withCode } from './desk-support.ts';
import { appDocument, openWorld } from './harness.ts';

const by = 'cli:test';
const doing = { by, note: null };
const keys = 10_000;

const known = (n: number): Browser => ({
  ...{ ip: '192.0.2.1', userAgent: 'Firefox', deviceCookie: `dev_${String(n).padStart(22, '0')}` },
});
const strangers = (n: number): Browser => ({ ip: `2001:db8::${n.toString(16)}`, userAgent: 'Firefox' });

const chosen = (version: string, share: number, browsers: (n: number) => Browser): Set<number> =>
  new Set(Array.from({ length: keys }, (_, n) => n).filter((n) => isChosen(version, share, browsers(n))));

t.test('a share of the browsers, always the same ones', async (t) => {
  for (const [name, browsers] of [
    ['known by their cookie', known],
    ['known by address and name', strangers],
  ] as const) {
    for (const share of [100, 1_000, 2_550, 5_000, 9_900]) {
      const n = chosen('flv_a', share, browsers).size;
      const expected = (keys * share) / 10_000;
      // Five standard deviations of a fair draw: one of three million runs would fall outside.
      const tolerance = 5 * Math.sqrt((expected * (10_000 - share)) / 10_000);
      t.ok(Math.abs(n - expected) <= tolerance, `${name}, ${share / 100} %: ${n} of ${keys}`);
    }
    const few = chosen('flv_a', 1_000, browsers);
    t.same(chosen('flv_a', 1_000, browsers), few, 'the same again');
    const more = chosen('flv_a', 2_000, browsers);
    t.ok(
      [...few].every((n) => more.has(n)),
      'who had it keeps it when the share is raised',
    );
    const others = chosen('flv_b', 1_000, browsers);
    const both = [...few].filter((n) => others.has(n)).length;
    t.ok(both > 50 && both < 150, `another version is tried on others: ${both} in both`);
  }
  const browser = { ...known(1), deviceCookie: `${known(1).deviceCookie}~mark-of-ada` };
  for (let share = 0; share < 10_000; share += 7) {
    if (isChosen('flv_a', share, browser) !== isChosen('flv_a', share, known(1)))
      t.fail('who signed in counts');
  }
  t.notOk(isChosen('flv_a', 0, browser));
});

t.test('a trial: begun, raised, completed, ended', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, password);
    const user = await world.addUser();
    const desk = openDesk(storage, world.clock);
    const catalog = createFlowCatalog(storage.revisions);
    const taken = async (n: number) => (await catalog.current(storage.db, 'main', known(n))).version;
    const share = async (version: number) => {
      let found = 0;
      for (let n = 0; n < 1_000; n += 1) found += Number((await taken(n)) === version);
      return found / 10;
    };
    const publish = (version: number, percent: number | null, replaces = 1) =>
      desk.publish({ flow: 'main', version, replaces, share: percent, by });

    await desk.draft([documentOf(withCode)], doing);
    await t.rejects(publish(2, 10, 7), { code: 'flow_conflict' });
    await publish(2, 10);
    const tenth = await share(2);
    t.ok(tenth > 6 && tenth < 14, `${tenth} %`);
    t.equal((await catalog.current(storage.db, 'main', null)).version, 1);

    await desk.draft([documentOf(withBackup)], doing);
    await t.rejects(publish(3, 5), { code: 'flow_conflict', message: /Version 2 .* being tried/ });
    await publish(2, 50);
    const half = await share(2);
    t.ok(half > 42 && half < 58, `${half} %`);

    await t.test('start and satisfies make the same choice', async (t) => {
      for (let n = 0; n < 24; n += 1) {
        const browser = await world.browser(known(n));
        const wanted = await taken(n);
        const { version } = await storage.db
          .selectFrom('logins')
          .innerJoin('flow_versions', 'flow_versions.id', 'logins.flow_version_id')
          .select('flow_versions.version')
          .where('logins.id', '=', browser.loginId)
          .executeTakeFirstOrThrow();
        t.equal(version, wanted, `browser ${n}`);
        if (n > 8) continue;
        const factor = {
          method: 'password',
          kind: 'knowledge' as const,
          amr: ['pwd'],
          at: world.clock.now().getTime(),
        };
        const session = await storage.transaction((tx) =>
          world.sessions.create(
            tx,
            { userId: user.id, factors: [factor], ip: null, userAgent: null },
            world.clock.now(),
          ),
        );
        const request = { session, user, app: appDocument, acr: [], maxAgeMs: null, browser: known(n) };
        t.equal(await world.flows.satisfies(storage.db, request, world.clock.now()), wanted === 1);
      }
    });

    t.match(await publish(2, null), { version: 2, replaced: 1, share: null }, 'completed');
    t.equal(await share(2), 100);
    await publish(3, 20, 2);
    t.match(await desk.rollBack({ flow: 'main', from: 3, to: null, by }), { version: 2, replaced: 3 });
    t.equal(await share(2), 100, 'a rollback ends the trial first');
    t.match(
      await desk.rollBack({ flow: 'main', from: 2, to: null, by }),
      { version: 1 },
      'as if there had been none',
    );
    await desk.draft([documentOf(withBackup)], doing);
    await publish(4, 20);
    await desk.archive({ flow: 'main', version: 4, by });
    t.match(await desk.list(), [{ published: 1, trial: null }]);
    t.equal(await share(1), 100);
  }),
);
