import t from 'tap';
import { createFlowCatalog } from '../../src/flows/catalog.ts';
import { keptVersions } from '../../src/flows/versions/store.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { documentOf, openDesk, password, withBackup, withCode } from './desk-support.ts';
import { ada, heading, openWorld } from './harness.ts';

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const by = 'cli:test';
const doing = { by, note: null };

/** What new logins take. */
const current = async (storage: Storage): Promise<number> =>
  (await createFlowCatalog(storage.revisions).current(storage.db, 'main', null)).version;

const statuses = async (storage: Storage): Promise<string[]> => {
  const { versions } = await openDesk(storage, clock).show('main', null);
  return versions.map(({ version, status }) => `${version} ${status}`).reverse();
};

const events = async ({ db }: Storage) =>
  (
    await db
      .selectFrom('audit_events')
      .select(['name', 'actor', 'data'])
      .where('name', 'like', 'flow.%')
      .execute()
  ).map(({ name, actor, data }) => `${name} ${actor} ${JSON.stringify(data)}`);

t.test('draft, publish, archive, roll back', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const desk = openDesk(storage, clock);
    const publish = (version: number, replaces: number | null) =>
      desk.publish({ flow: 'main', version, replaces, share: null, by });

    t.same(await desk.draft([documentOf(password)], { by, note: 'the first' }), [
      { flow: 'main', version: 1 },
    ]);
    t.match(await desk.list(), [{ id: 'main', published: null, draft: 1, trial: null }]);
    await t.rejects(current(storage), { code: 'flow_missing' }, 'a draft is taken by no login');
    t.match(await publish(1, null), { version: 1, replaced: null, share: null });
    t.equal(await current(storage), 1);

    await desk.draft([documentOf(withCode)], doing);
    await desk.draft([documentOf(withBackup)], doing);
    t.same(
      await statuses(storage),
      ['1 published', '2 archived', '3 draft'],
      'the newer draft replaces the older',
    );
    t.equal(await current(storage), 1);
    await publish(3, 1);
    await desk.draft([documentOf(withCode)], doing);
    await publish(4, 3);
    t.same(await statuses(storage), ['1 archived', '2 archived', '3 archived', '4 published']);

    t.match(await desk.rollBack({ flow: 'main', from: 4, to: null, by }), { version: 3, replaced: 4 });
    t.equal(await current(storage), 3);
    t.match(
      await desk.rollBack({ flow: 'main', from: 3, to: null, by }),
      { version: 1 },
      'and on, past what was never published',
    );
    await t.rejects(desk.rollBack({ flow: 'main', from: 1, to: null, by }), { code: 'flow_conflict' });
    t.match(await desk.rollBack({ flow: 'main', from: 1, to: 4, by }), { version: 4 });
    t.match(await desk.rollBack({ flow: 'main', from: 4, to: null, by }), { version: 3 }, 'not to 1 again');
    for (const [what, refused, code] of [
      ['never published', { from: 3, to: 2 }, 'flow_conflict'],
      ['the published one', { from: 3, to: 3 }, 'flow_conflict'],
      ['taken back by somebody else', { from: 4, to: null }, 'flow_conflict'],
      ['unknown', { from: 3, to: 9 }, 'version_unknown'],
    ] as const) {
      await t.rejects(desk.rollBack({ flow: 'main', ...refused, by }), { code }, what);
    }
    t.equal(await current(storage), 3);

    const { document, name } = await desk.show('main', 1);
    t.same(document, documentOf(password), 'as it was written');
    t.equal(name, 'Main');
    await t.rejects(desk.archive({ flow: 'main', version: 3, by }), { code: 'flow_conflict' }, 'in force');
    await t.rejects(
      desk.archive({ flow: 'main', version: 1, by }),
      { code: 'flow_conflict' },
      'archived already',
    );
    await desk.draft([documentOf(password)], doing);
    await desk.archive({ flow: 'main', version: 5, by });
    t.same((await statuses(storage)).at(-1), '5 archived');

    await desk.draft([{ ...documentOf(password), id: 'other' }], doing);
    await desk.archive({ flow: 'other', version: 1, by });
    await t.rejects(desk.show('other', null), { code: 'flow_unknown' }, 'nothing is left of it');
    await t.rejects(publish(1, 1), { code: 'flow_conflict' });
    await t.rejects(publish(2, 3), { code: 'flow_conflict', message: /is archived/ });
    t.same((await events(storage)).slice(0, 2), [
      `flow.drafted ${by} {"flow":"main","version":1}`,
      `flow.published ${by} {"flow":"main","share":null,"version":1,"replaced":null}`,
    ]);
    t.ok((await events(storage)).some((event) => event.startsWith('flow.rolled_back')));
  }),
);

t.test('what is refused, with its place', (t) =>
  postgresOnly(t, async (t, storage) => {
    const desk = openDesk(storage, clock);
    const faulty = {
      ...documentOf([{ id: 'first', options: ['sms-otp'] }]),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: references are written so
      name: '${file:/etc/passwd}',
    };
    t.match(await desk.check([documentOf(password), faulty]), [
      { id: 'main', faults: [] },
      { id: 'main', faults: [{ path: 'flows[1].name', message: /own files only/ }] },
    ]);
    t.match(await desk.check([documentOf([{ id: 'first', options: ['sms-otp'] }]), { id: 'x' }]), [
      { faults: [{ path: 'flows[0].steps[0].options[0]' }] },
      { faults: [{ path: 'flows[1]' }, { path: 'flows[1]' }] },
    ]);
    await t.rejects(desk.draft([documentOf(password), faulty], doing), { code: 'flow_invalid' });
    t.same(await desk.list(), [], 'all or none');

    await desk.draft([documentOf(password)], doing);
    for (const share of [0, 100, -1, 0.001, Number.NaN]) {
      const publication = { flow: 'main', version: 1, replaces: null, share, by };
      await t.rejects(desk.publish(publication), { code: 'invalid_request' }, `a share of ${share}`);
    }
    await storage.db
      .updateTable('flow_versions')
      .set({
        document: JSON.stringify({
          raw: {},
          resolved: documentOf([{ id: 'a', options: ['gone'] }]),
        }) as never,
      })
      .execute();
    await t.rejects(
      desk.publish({ flow: 'main', version: 1, replaces: null, share: null, by }),
      { code: 'flow_invalid', errors: [{ path: 'main.steps[0].options[0]' }] },
      'what was right when it was saved',
    );
  }),
);

t.test('of sixteen who publish at once one does, and the others are told what is in force', (t) =>
  postgresOnly(t, async (t, storage) => {
    const desk = openDesk(storage, clock);
    await desk.draft([documentOf(password)], doing);
    await desk.publish({ flow: 'main', version: 1, replaces: null, share: null, by });
    await desk.draft([documentOf(withCode)], doing);
    await desk.publish({ flow: 'main', version: 2, replaces: 1, share: 10, by });
    await desk.draft([documentOf(withBackup)], doing);
    const results = await Promise.allSettled(
      Array.from({ length: 16 }, (_, n) =>
        desk.publish({ flow: 'main', version: 2 + (n % 2), replaces: 1, share: null, by }),
      ),
    );
    const won = results.flatMap((one) => (one.status === 'fulfilled' ? one.value.version : []));
    t.equal(won.length, 1);
    for (const result of results) {
      if (result.status === 'rejected') {
        t.match(result.reason, { status: 409, message: `version ${won[0]} is published, not version 1` });
      }
    }
    t.equal(await current(storage), won[0]);
    t.equal((await statuses(storage)).filter((line) => line.endsWith('published')).length, 1);

    const back = await Promise.allSettled(
      Array.from({ length: 16 }, () => desk.rollBack({ flow: 'main', from: won[0] ?? 0, to: null, by })),
    );
    t.equal(back.filter(({ status }) => status === 'fulfilled').length, 1, 'nobody goes two steps back');
    t.equal(await current(storage), 1);

    const drafts = await Promise.all(
      Array.from({ length: 16 }, () => desk.draft([documentOf(withCode)], doing)),
    );
    const numbers = drafts.map(([draft]) => draft?.version);
    t.equal(new Set(numbers).size, 16, 'each with a number of its own');
    t.equal((await statuses(storage)).filter((line) => line.endsWith('draft')).length, 1);
  }),
);

t.test('old versions go, but none that a login is on, and none that was in force last', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, withCode);
    await world.addUser();
    const desk = openDesk(storage, world.clock);
    const running = await world.browser();
    world.clock.pass(1_000);
    // Versions of which none was archived at the same moment as another.
    const { id: first } = await storage.db.selectFrom('flow_versions').select('id').executeTakeFirstOrThrow();
    const rows = Array.from({ length: keptVersions + 20 }, (_, n) => ({
      ...{ id: `flv_${n}`, flow_id: 'main', version: n + 2, status: 'archived' as const },
      document: JSON.stringify({ raw: {}, resolved: documentOf(password) }) as never,
      ...{ created_at: world.clock.now(), archived_at: new Date(world.clock.now().getTime() + n) },
    }));
    await storage.db.insertInto('flow_versions').values(rows).execute();
    world.clock.pass(60_000);
    await desk.draft([documentOf(password)], doing);
    const version = (await desk.show('main', null)).draft ?? 0;
    await desk.publish({ flow: 'main', version, replaces: 1, share: null, by });

    const left = await storage.db.selectFrom('flow_versions').selectAll().execute();
    t.equal(left.length, keptVersions + 2, 'a hundred, the published one, and the one that a login is on');
    t.ok(left.some(({ id }) => id === first));
    t.notOk(left.some(({ id }) => id === 'flv_0'));
    t.ok(left.some(({ id }) => id === `flv_${keptVersions + 19}`));
    t.match((await desk.show('main', 1)).versions.at(-1), { version: 1, running: 1 });
    const page = await running.submit({ username: 'ada', password: ada.password ?? '' });
    t.equal(heading(page), 'Enter code', 'it goes on as it began');
  }),
);

t.test('files and versions', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, password);
    const desk = openDesk(storage, world.clock);
    await desk.draft([documentOf(withCode)], doing);
    await desk.publish({ flow: 'main', version: 2, replaces: 1, share: 30, by });
    t.match(await desk.list(), [{ published: 1, trial: { version: 2, share: 30 }, draft: null }]);
    await world.publish(withBackup);
    t.match(await desk.list(), [{ published: 3, trial: null, draft: null }], 'a file speaks for all');
    t.same(await statuses(storage), ['1 archived', '2 archived', '3 published']);
    t.match(await desk.rollBack({ flow: 'main', from: 3, to: null, by }), { version: 1 });
    t.ok((await events(storage)).some((event) => event.startsWith('flow.published config')));
  }),
);
