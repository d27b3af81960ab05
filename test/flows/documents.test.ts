import { Ajv } from 'ajv';
import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import type { Candidate, Loaded } from '../../src/config/types.ts';
import type { FlowDocument } from '../../src/flows/documents/schema.ts';
import { flowSchema } from '../../src/flows/documents/schema.ts';
import { flowsSection } from '../../src/flows/index.ts';
import { methods } from '../../src/flows/methods/index.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { ada, heading, openWorld, passwordThenCode } from './harness.ts';

const loaded = (document: object): Loaded => ({
  raw: document as Record<string, unknown>,
  resolved: document as Record<string, unknown>,
});

const candidate = (providers: object[]): Candidate => ({
  collection: () => new Map(providers.map((provider, index) => [String(index), loaded(provider)])),
  setting: () => undefined,
});

const withSms = candidate([{ channel: 'sms', enabled: true }]);

const section = flowsSection({
  revisions: { bump: async () => {} },
  random: systemRandom,
  audit: createAudit(),
});

const faults = (steps: object[], given = withSms) =>
  section
    .check?.(loaded({ id: 'f', name: 'F', steps }), given)
    .map(({ path, message }) => `${path}: ${message}`) ?? [];

t.test('what the schema refuses', async (t) => {
  const valid = new Ajv({ strict: false, allErrors: true }).compile(flowSchema(methods));
  const flow = (...options: unknown[]) => ({ id: 'f', name: 'F', steps: [{ id: 'a', options }] });
  t.ok(valid(flow('password')), 'a name');
  t.ok(
    valid(flow({ 'sms-otp': { length: 8, alphabet: 'alphanumeric', expires: '10m', resends: 0 } })),
    'settings',
  );
  for (const [name, document, path] of [
    ['an unknown method', flow('pasword'), '/steps/0/options/0'],
    ['an unknown method with settings', flow({ 'sms-otq': {} }), '/steps/0/options/0'],
    ['an unknown setting', flow({ 'sms-otp': { lenght: 6 } }), '/steps/0/options/0/sms-otp'],
    ['a length out of range', flow({ 'sms-otp': { length: 3 } }), '/steps/0/options/0/sms-otp/length'],
    ['two methods in one option', flow({ 'sms-otp': {}, password: {} }), '/steps/0/options/0'],
    ['no options', flow(), '/steps/0/options'],
    ['no steps', { id: 'f', name: 'F', steps: [] }, '/steps'],
    ['an odd id', { id: 'F f', name: 'F', steps: [{ id: 'a', options: ['password'] }] }, '/id'],
  ] as const) {
    t.notOk(valid(document), name);
    t.ok(
      valid.errors?.some((error) => error.instancePath === path),
      `${name} at ${path}: ${JSON.stringify(valid.errors)}`,
    );
  }
});

t.test('what makes no sense', async (t) => {
  t.same(faults(passwordThenCode), []);
  t.same(
    faults([
      { id: 'a', options: ['identify'] },
      { id: 'b', options: ['sms-otp', 'password'] },
    ]),
    [],
  );
  const cases: [name: string, steps: object[], path: string, given?: Candidate][] = [
    ['nobody is identified', [{ id: 'a', options: ['sms-otp'] }], 'steps[0].options[0]'],
    ['recovery first', [{ id: 'a', options: ['password', 'backup-code'] }], 'steps[0].options[1]'],
    ['a name is all', [{ id: 'a', options: ['identify'] }], 'steps'],
    ['a name beside something', [{ id: 'a', options: ['identify', 'password'] }], 'steps[0].options[0]'],
    [
      'a name later on',
      [
        { id: 'a', options: ['password'] },
        { id: 'b', options: ['identify'] },
      ],
      'steps[1].options[0]',
    ],
    [
      'recovery as the first factor',
      [
        { id: 'a', options: ['identify'] },
        { id: 'b', options: ['password', 'backup-code'] },
      ],
      'steps[1].options[1]',
    ],
    [
      'recovery alone',
      [
        { id: 'a', options: ['password'] },
        { id: 'b', options: ['backup-code'] },
      ],
      'steps[1].options',
    ],
    [
      'the same id twice',
      [
        { id: 'a', options: ['password'] },
        { id: 'a', options: ['sms-otp'] },
      ],
      'steps[1].id',
    ],
    [
      'asked already',
      [
        { id: 'a', options: ['password'] },
        { id: 'b', options: ['password'] },
      ],
      'steps[1].options[0]',
    ],
    ['twice in a step', [{ id: 'a', options: ['password', 'password'] }], 'steps[0].options[1]'],
    [
      'nothing to switch off',
      [{ id: 'a', options: ['password'], userMayDisable: true }],
      'steps[0].userMayDisable',
    ],
    [
      'the first factor can be switched off',
      [
        { id: 'a', options: ['identify'] },
        { id: 'b', options: ['sms-otp'], userMayDisable: true },
      ],
      'steps[1].userMayDisable',
    ],
    [
      'the first factor can be skipped',
      [{ id: 'a', options: ['password'], onUnavailable: 'skip' }],
      'steps[0].onUnavailable',
    ],
    [
      'nothing can be set up',
      [
        { id: 'a', options: ['identify'] },
        { id: 'b', options: ['password'], onUnavailable: 'enrol' },
      ],
      'steps[1].onUnavailable',
    ],
    [
      'too long a life',
      [
        { id: 'a', options: ['password'] },
        { id: 'b', options: [{ 'sms-otp': { expires: '11m' } }] },
      ],
      'steps[1].options[0].sms-otp.expires',
    ],
    ['too young', [{ id: 'a', options: ['password'], maxAge: '1s' }], 'steps[0].maxAge'],
    ['no provider', passwordThenCode, 'steps[1].options[0]', candidate([{ channel: 'email' }])],
    [
      'only a disabled provider',
      passwordThenCode,
      'steps[1].options[0]',
      candidate([{ channel: 'sms', enabled: false }]),
    ],
  ];
  for (const [name, steps, path, given] of cases) {
    const found = faults(steps, given);
    t.ok(
      found.some((fault) => fault.startsWith(`${path}: `)),
      `${name}: ${found.join(' | ')}`,
    );
  }
  const many = faults([
    { id: 'a', options: ['sms-otp'], maxAge: '1s' },
    { id: 'a', options: ['backup-code'] },
  ]);
  t.ok(many.length >= 4, `all at once: ${many.join(' | ')}`);
});

t.test('what excuses from a step', async (t) => {
  const password = { id: 'a', options: ['password'] };
  const code = { id: 'b', options: ['sms-otp'] };
  const declared: Candidate = {
    collection: (member) =>
      new Map(
        member === 'attributes'
          ? [['level', loaded({ name: 'level', type: 'number' })]]
          : [['main', loaded({ channel: 'sms' })]],
      ),
    setting: () => undefined,
  };
  for (const [steps, ...found] of [
    [[password, { ...code, when: '!device.known', remember: '30d' }]],
    [[password, { ...code, when: 'user.attributes.level > 2' }]],
    [[password, { ...code, when: 'user.attributes.levle > 2' }], /steps\[1\]\.when: .*did you mean “level”/],
    [
      [password, { ...code, when: 'user.age', remember: '1m' }],
      /steps\[1\]\.when: must be true or false/,
      /steps\[1\]\.remember: must be between 1h and 365d, not 1m/,
    ],
    [
      [{ ...password, when: '!device.known', remember: '30d' }],
      /steps\[0\]\.when: the first factor is asked of everyone/,
      /steps\[0\]\.remember: the first factor is asked in every browser/,
    ],
    [
      [{ id: 'i', options: ['identify'], when: 'acr.size() > 0' }, password],
      /steps\[0\]\.when: the first factor is asked of everyone/,
    ],
    [[password, code, { ...code, id: 'c' }], /steps\[2\].*has asked for “sms-otp” already/],
    [[password, { ...code, when: '!device.known' }, { ...code, id: 'c' }]],
  ] as [object[], ...RegExp[]][]) {
    const said = faults(steps, declared);
    t.equal(said.length, found.length, said.join(' | '));
    for (const pattern of found) t.match(said.join('\n'), pattern);
  }
});

t.test('versions', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const own = flowsSection({ revisions: storage.revisions, random: systemRandom, audit: createAudit() });
    const world = await openWorld(t, storage, passwordThenCode);
    await world.addUser(ada);
    const running = await world.browser();
    await world.publish([{ id: 'only', options: ['password'] }]);
    const versions = () =>
      storage.db.selectFrom('flow_versions').select(['version', 'status']).orderBy('version').execute();
    t.same(await versions(), [
      { version: 1, status: 'archived' },
      { version: 2, status: 'published' },
    ]);
    const fields = { username: 'ada', password: ada.password ?? '' };
    const later = await world.browser();
    t.equal((await later.submit(fields)).location, '/authorize/resume');
    t.equal(heading(await running.submit(fields)), 'Enter code', 'a login finishes on its own version');

    const document: FlowDocument = {
      id: 'main',
      name: 'Main',
      steps: [{ id: 'only', options: ['password'] }],
    };
    t.equal(await own.same(storage.db, loaded(document), 0), true);
    t.equal(await own.same(storage.db, loaded({ ...document, name: 'Other' }), 0), false);
    t.same([...(await own.list(storage.db)).entries()], [['main', document]]);
    await storage.transaction((tx) => own.remove(tx, 'main'));
    await storage.revisions.refresh();
    t.equal((await own.list(storage.db)).size, 0);
    await t.rejects(world.browser(), { code: 'flow_missing' });
  }),
);
