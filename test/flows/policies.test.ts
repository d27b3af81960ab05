import t from 'tap';
import type { App } from '../../src/apps/types.ts';
import type { StepDocument } from '../../src/flows/documents/schema.ts';
import { methods } from '../../src/flows/methods/index.ts';
import { createPolicies } from '../../src/flows/policies.ts';
import type { Flow } from '../../src/flows/types.ts';
import type { Db } from '../../src/storage/types.ts';
import type { User, Users } from '../../src/users/types.ts';
import { flowOf, userOf } from './world.ts';

const db = {} as Db;
const app = (flow: string) => ({ id: flow, name: flow, flow }) as App;

/** Policies over these steps behind a password; the user has so many authenticator apps. */
function policies(flows: Record<string, Flow[]>, totps = 0) {
  const list = Array.from({ length: totps }, () => ({ id: 'crd_1', type: 'totp', label: '', data: {} }));
  const users = { credentials: { list: async () => list } } as unknown as Users;
  return createPolicies({
    methods,
    services: { users },
    catalog: { taken: async (_, id) => flows[id] ?? [] },
  });
}
const after = (step: Omit<StepDocument, 'id'>): Flow =>
  flowOf({ id: 'first', options: ['password'] }, { id: 'second', ...step });

const gone: Partial<User> = { phone: null, phoneVerified: false };
const sms = ['sms-otp'];
const both = ['sms-otp', 'totp'];
const backup = ['sms-otp', 'backup-code'];

t.test('what giving a factor up does to its user', async (t) => {
  const rows: [string, Omit<StepDocument, 'id'>, Partial<User>, number, string, string | null][] = [
    ['asked of everybody', { options: sms, onUnavailable: 'skip' }, gone, 0, 'sms-otp', 'required'],
    [
      'set up anew by the password alone',
      { options: sms, onUnavailable: 'enrol' },
      gone,
      0,
      'sms-otp',
      'required',
    ],
    ['no way in', { options: sms }, gone, 0, 'sms-otp', 'locked-out'],
    [
      'no way in, whatever the switch says',
      { options: sms, userMayDisable: true },
      { ...gone, codeOff: true },
      0,
      'sms-otp',
      'locked-out',
    ],
    [
      'as with the code off',
      { options: sms, userMayDisable: true, onUnavailable: 'skip' },
      gone,
      0,
      'sms-otp',
      null,
    ],
    ['another factor', { options: both }, gone, 1, 'sms-otp', null],
    ['backup codes run out', { options: backup }, { ...gone, backupCodes: 9 }, 0, 'sms-otp', 'locked-out'],
    [
      'backup codes are no factor',
      { options: backup, onUnavailable: 'skip' },
      { ...gone, backupCodes: 9 },
      0,
      'sms-otp',
      'required',
    ],
    [
      'only sometimes asked',
      { options: sms, when: 'false', onUnavailable: 'skip' },
      gone,
      0,
      'sms-otp',
      'required',
    ],
    ['an app, with the phone left', { options: both }, {}, 0, 'totp', null],
    ['an app that was optional', { options: ['totp'], onUnavailable: 'skip' }, {}, 0, 'totp', null],
    ['the last app', { options: ['totp'] }, {}, 0, 'totp', 'locked-out'],
    ['one of two apps', { options: ['totp'] }, {}, 1, 'totp', null],
    ['of no use there', { options: ['totp'] }, gone, 0, 'sms-otp', null],
  ];
  for (const [what, step, members, totps, method, why] of rows) {
    const { losses } = policies({ one: [after(step)] }, totps);
    const found = await losses(db, [app('one')], userOf(members), method);
    t.same(
      found.map((loss) => loss.why),
      why === null ? [] : [why],
      what,
    );
  }
});

t.test('a version that only some browsers get counts, too, and the worse of two steps', async (t) => {
  const free = after({ options: sms, userMayDisable: true, onUnavailable: 'skip' });
  const strict = after({ options: sms, onUnavailable: 'skip' });
  const stuck = after({ options: sms });
  const { losses } = policies({ tried: [free, strict], worse: [strict, stuck], free: [free] });
  const found = await losses(db, ['tried', 'worse', 'free'].map(app), userOf(gone), 'sms-otp');
  t.same(
    found.map(({ app, why }) => [app.id, why]),
    [
      ['tried', 'required'],
      ['worse', 'locked-out'],
    ],
  );
});

t.test('what apps ask for', async (t) => {
  const { demands } = policies({
    plain: [flowOf({ id: 'first', options: ['password'] })],
    free: [after({ options: backup, userMayDisable: true })],
    mixed: [after({ options: sms, userMayDisable: true }), after({ options: both })],
  });
  const found = await demands(db, ['plain', 'free', 'mixed'].map(app));
  t.same(
    found.map(({ app, codeOff, methods }) => [app.id, codeOff, methods]),
    [
      ['plain', null, ['password']],
      ['free', 'allowed', ['password', 'sms-otp', 'backup-code']],
      ['mixed', 'refused', ['password', 'sms-otp', 'totp']],
    ],
  );
});
