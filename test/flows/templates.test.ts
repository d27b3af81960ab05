import t from 'tap';
import { createValidator } from '../../src/config/index.ts';
import type { Candidate } from '../../src/config/types.ts';
import { createCondition } from '../../src/flows/conditions/condition.ts';
import type { ConditionFacts } from '../../src/flows/conditions/facts.ts';
import { flowFaults } from '../../src/flows/documents/checks.ts';
import { type FlowDocument, flowSchema } from '../../src/flows/documents/schema.ts';
import { acrNames, fillTemplate, templates } from '../../src/flows/index.ts';
import { methods } from '../../src/flows/methods/index.ts';
import { postgresOnly } from '../helpers/database.ts';
import { ada, newestCode, openWorld } from './harness.ts';
import { resultOf } from './totp-support.ts';

const providers = new Map(
  [['main', { channel: 'sms', enabled: true }]].map(([id, document]) => {
    const loaded = document as Record<string, unknown>;
    return [id as string, { raw: loaded, resolved: loaded }];
  }),
);
const candidate: Candidate = {
  collection: (member) => (member === 'providers' ? providers : new Map()),
  setting: () => undefined,
};

const faultsOf = (document: FlowDocument) => [
  ...createValidator(flowSchema(methods))(structuredClone(document), document).faults,
  ...flowFaults(document, methods, candidate),
];

t.test('each template is a flow that may be saved', async (t) => {
  t.ok(templates.length >= 8);
  for (const { id, parameters } of templates) {
    const document = fillTemplate(id, {});
    t.same(faultsOf(document), [], id);
    t.equal(document.id, id);
    const again = Object.fromEntries(parameters.map((one) => [one.name, one.default]));
    t.same(fillTemplate(id, again), document, 'the usual values are values that may be given');
  }
});

const user = { groups: ['staff'], attributes: { birthdate: '1990-02-28' }, created: new Date(0) };
const facts: ConditionFacts = {
  ...{ user, app: undefined, acr: [], now: new Date('2026-03-01T12:00:00Z') },
  request: { ip: '192.0.2.7', userAgent: null, country: null },
  device: { known: true },
  session: { active: false, methods: [], ageMs: null },
};
const zone = { timeZone: 'UTC' };
const at = (hour: number) => ({ now: new Date(Date.UTC(2026, 2, 1, hour)) });

t.test('whom they ask for a second factor', async (t) => {
  const cases: [
    id: string,
    values: Record<string, string>,
    facts: Partial<ConditionFacts>,
    asked: boolean,
  ][] = [
    ['step-up-by-group', {}, {}, true],
    ['step-up-by-group', { group: 'finance' }, {}, false],
    ['new-device', {}, {}, false],
    ['new-device', {}, { device: { known: false } }, true],
    ['outside-office', {}, {}, false],
    ['outside-office', { network: '198.51.100.0/24' }, {}, true],
    ['age-of-user', {}, {}, false],
    ['age-of-user', { age: '37' }, {}, true],
    ['night-time', zone, at(21), false],
    ['night-time', zone, at(22), true],
    ['night-time', zone, at(5), true],
    ['night-time', zone, at(6), false],
    ['night-time', { ...zone, from: '1' }, at(0), false],
    ['night-time', { ...zone, from: '1' }, at(1), true],
    ['night-time', { ...zone, from: '1' }, at(5), true],
    ['night-time', { ...zone, from: '1' }, at(6), false],
    ['night-time', { ...zone, from: '1' }, at(23), false],
    ['night-time', { ...zone, from: '0' }, at(23), false],
    ['night-time', { ...zone, until: '0' }, at(23), true],
    ['night-time', { ...zone, until: '0' }, at(0), false],
  ];
  for (const [id, values, given, asked] of cases) {
    const condition = createCondition(fillTemplate(id, values).steps[1]?.when ?? '');
    const name = `${id} ${JSON.stringify(values)} ${given.now?.toISOString() ?? ''}`;
    t.same(condition.evaluate({ ...facts, ...given }), { is: asked }, name);
    if (asked) continue;
    const wishing = (...acr: string[]) => condition.evaluate({ ...facts, ...given, acr });
    t.same(wishing(acrNames.one), { is: false }, 'one factor is what there is');
    t.same(wishing('urn:other', acrNames.two), { is: true }, 'two are wished for');
    t.same(wishing(acrNames.phishingResistant), { is: true });
  }
});

t.test('values', async (t) => {
  const condition = (id: string, values: Record<string, string>) => fillTemplate(id, values).steps[1]?.when;
  t.match(condition('step-up-by-group', { group: 'finance' }), /^"finance" in user\.groups \|\| acr\./);
  t.match(condition('outside-office', { network: '2001:db8::/32' }), 'request.ip.inRange("2001:db8::/32")');
  t.match(condition('night-time', { from: '23', timeZone: 'UTC' }), '>= 23 || now.getHours("UTC") < 6');
  for (const [id, values, path] of [
    ['step-up-by-group', { group: '" || true || "' }, 'group'],
    ['step-up-by-group', { grup: 'x' }, 'grup'],
    ['age-of-user', { age: '18 || true' }, 'age'],
    ['night-time', { until: '24' }, 'until'],
    ['night-time', { timeZone: 'x"' }, 'timeZone'],
    ['night-time', { from: '6' }, 'until'],
    ['outside-office', { network: 'office' }, 'network'],
    ['password', { x: 'y' }, 'x'],
  ] as const) {
    t.throws(() => fillTemplate(id, values), { errors: [{ path }] }, `${id} ${JSON.stringify(values)}`);
  }
  t.throws(() => fillTemplate('pasword', {}), { code: 'template_unknown' });
});

const withCode = ['pwd', 'sms', 'mfa'];

t.test('a sign-in through each of them', (t) =>
  postgresOnly(t, async (t, storage) => {
    const world = await openWorld(t, storage, [{ id: 'first', options: ['password'] }]);
    await world.addUser({ ...ada, groups: ['staff'] });
    const usual: Record<string, string[]> = { password: ['pwd'], 'night-time': ['pwd'] };
    const runs: [name: string, id: string, values: Record<string, string>, amr: string[]][] = [
      ...templates.map(({ id }) => [id, id, {}, usual[id] ?? withCode] as (typeof runs)[0]),
      ['another group', 'step-up-by-group', { group: 'finance' }, ['pwd']],
      ['within the office', 'outside-office', { network: '127.0.0.0/8' }, ['pwd']],
      ['at night', 'night-time', { from: String(world.clock.now().getUTCHours()), ...zone }, withCode],
    ];
    for (const [name, id, values, amr] of runs) {
      await world.publish(fillTemplate(id, values).steps);
      const browser = await world.browser({ continuationKey: name });
      const past = await browser.submit({ username: 'ada', password: ada.password ?? '' });
      if (amr.length > 1) {
        t.equal(past.status, 200, name);
        await browser.submit({ code: newestCode(world) });
      }
      t.match(await resultOf(world, name), { status: 'finished', amr }, name);
      world.clock.pass(20 * 60_000);
    }
  }),
);
