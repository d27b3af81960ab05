import t from 'tap';
import type { Candidate, Loaded } from '../../src/config/types.ts';
import { passwordAlone } from '../../src/flows/index.ts';
import type { User } from '../../src/users/types.ts';

const loaded = (document: object): Loaded => ({
  raw: document as Record<string, unknown>,
  resolved: document as Record<string, unknown>,
});

/** A configuration with these flows; an app for each, unless it is said which ones have one. */
function candidate(flows: Record<string, unknown>, used = Object.keys(flows)): Candidate {
  const collections: Record<string, Map<string, Loaded>> = {
    apps: new Map(used.map((flow, index) => [`app${index}`, loaded({ id: `app${index}`, flow })])),
    flows: new Map(Object.entries(flows).map(([id, steps]) => [id, loaded({ id, name: id, steps })])),
  };
  return { collection: (member) => collections[member] ?? new Map(), setting: () => undefined };
}

const user: User = {
  id: '',
  username: 'ada',
  name: null,
  email: null,
  emailVerified: false,
  phone: '+12025550123',
  phoneVerified: true,
  secondPhone: null,
  codeOff: false,
  codeOffUntil: null,
  disabled: false,
  recoveredAt: null,
  recoveredBy: null,
  deleteAt: null,
  groups: [],
  attributes: {},
  createdAt: new Date(0),
  hasPassword: true,
  passwordChangedAt: null,
  backupCodes: 0,
};
const codeOff = { ...user, codeOff: true };
const noPhone = { ...user, phone: null, phoneVerified: false };

const first = { id: 'first', options: ['password'] };
const code = { id: 'second', options: [{ 'sms-otp': {} }] };
const app = { id: 'second', options: ['totp'], onUnavailable: 'enrol' };
const codeOrBackup = { id: 'second', options: ['sms-otp', 'backup-code'] };

t.test('in which flows the password is the only factor', async (t) => {
  const cases: [name: string, steps: unknown[], who: User, alone: boolean][] = [
    ['a password', [first], user, true],
    ['a name, then a password', [{ id: 'who', options: ['identify'] }, first], user, true],
    ['a password, then a code', [first, code], user, false],
    ['the same for who switched the code off, which does not count here', [first, code], codeOff, false],
    ['a code that may be switched off, and is not', [first, { ...code, userMayDisable: true }], user, false],
    ['… and is', [first, { ...code, userMayDisable: true }], codeOff, true],
    ['… with backup codes beside it', [first, { ...codeOrBackup, userMayDisable: true }], codeOff, true],
    [
      'one of two steps may be switched off',
      [first, { ...code, userMayDisable: true }, { ...code, id: 'third' }],
      codeOff,
      false,
    ],
    ['skipped for who has no number', [first, { ...code, onUnavailable: 'skip' }], noPhone, true],
    ['… and not for who has one', [first, { ...code, onUnavailable: 'skip' }], user, false],
    ['a number is asked for', [first, { ...code, onUnavailable: 'enrol' }], noPhone, false],
    ['no way on without a number', [first, code], noPhone, false],
    [
      'a code first',
      [
        { id: 'phone', options: ['sms-otp'] },
        { id: 'then', options: ['password'] },
      ],
      user,
      false,
    ],
    ['a code that not everybody is asked for', [first, { ...code, when: '!device.known' }], user, true],
    ['… and one that is', [first, { ...code, when: '!device.known' }, { ...code, id: 'third' }], user, false],
    ['a code that may be remembered', [first, { ...code, remember: '30d' }], user, false],
    ['an app that can be set up later', [first, { ...app, grace: '14d' }], user, true],
    ['… and one that cannot', [first, app], user, false],
    [
      'an app or a code, set up later, for who has a number',
      [first, { ...app, options: ['totp', 'sms-otp'], grace: '14d' }],
      user,
      false,
    ],
    ['a code only', [{ id: 'phone', options: ['sms-otp'] }], user, false],
    ['a code or a password', [{ id: 'either', options: ['sms-otp', 'password'] }], user, true],
  ];
  for (const [name, steps, who, alone] of cases) {
    t.strictSame(passwordAlone(candidate({ flow: steps }), who), alone ? ['flow'] : [], name);
  }
});

t.test('only flows that an app uses, all of them, and none with faults', async (t) => {
  const flows = { quick: [first], careful: [first, code], old: [first], other: [first] };
  t.strictSame(passwordAlone(candidate(flows, ['quick', 'careful', 'other', 'gone']), user), [
    'quick',
    'other',
  ]);
  t.strictSame(passwordAlone(candidate(flows, []), user), []);
  for (const broken of [
    undefined,
    'x',
    [],
    [{ id: 'first' }],
    [{ ...first, options: ['pasword'] }],
    [first, 3],
  ]) {
    t.strictSame(
      passwordAlone(candidate({ broken, quick: [first] }), user),
      ['quick'],
      JSON.stringify(broken),
    );
  }
});
