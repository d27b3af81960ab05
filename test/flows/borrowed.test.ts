import t from 'tap';
import type { Candidate, Loaded } from '../../src/config/types.ts';
import { borrowedFactors } from '../../src/flows/documents/borrowed.ts';

const loaded = (document: object): Loaded => {
  const raw = document as Record<string, unknown>;
  return { raw, resolved: raw };
};

interface Given {
  steps: object[];
  /** Of the other flow. */
  other?: object[];
  account?: object;
  /** Which of the two some app uses. */
  used?: string[];
}

function adviceOn({ steps, other, account = {}, used = ['strict', 'easy'] }: Given) {
  const strict = loaded({ id: 'strict', name: 'Strict', steps });
  const collections: Record<string, Map<string, Loaded>> = {
    apps: new Map(used.map((flow) => [flow, loaded({ id: `app-${flow}`, flow })])),
    flows: new Map([
      ['strict', strict],
      ['easy', loaded({ id: 'easy', name: 'Easy', steps: other })],
    ]),
  };
  const candidate: Candidate = {
    collection: (member) => collections[member] ?? new Map(),
    setting: (member) => (member === 'account' ? { enabled: true, flow: '', ...account } : undefined),
  };
  return borrowedFactors(strict, candidate);
}

const first = { id: 'first', options: ['password'] };
const code = { id: 'second', options: [{ 'sms-otp': { length: 8 } }, 'backup-code'] };
const app = { id: 'second', options: ['totp'] };
const enrolled = { ...code, onUnavailable: 'enrol' };

t.test('a factor that the password alone sets up elsewhere', async (t) => {
  const cases: [name: string, given: Given, advised: boolean][] = [
    ['a number of another app', { steps: [first, code], other: [first, enrolled] }, true],
    [
      '… also where only some are asked for it',
      { steps: [first, { ...code, when: 'x' }], other: [first, enrolled] },
      true,
    ],
    [
      '… where setting it up has time',
      { steps: [first, code], other: [first, { ...enrolled, grace: '7d' }] },
      true,
    ],
    [
      '… behind a name',
      { steps: [first, code], other: [{ id: 'who', options: ['identify'] }, first, enrolled] },
      true,
    ],
    [
      '… behind what not everybody is asked for',
      { steps: [first, code], other: [first, { ...app, id: 'x', when: 'x' }, enrolled] },
      true,
    ],
    [
      '… behind what may be skipped',
      { steps: [first, code], other: [first, { ...app, id: 'x', onUnavailable: 'skip' }, enrolled] },
      true,
    ],
    ['behind another factor', { steps: [first, code], other: [first, { ...app, id: 'x' }, enrolled] }, false],
    ['another kind of factor', { steps: [first, app], other: [first, enrolled] }, false],
    ['nobody sets it up', { steps: [first, code], other: [first, code] }, false],
    ['both let it be set up', { steps: [first, enrolled], other: [first, enrolled] }, false],
    [
      'who has none goes on without',
      { steps: [first, { ...code, onUnavailable: 'skip' }], other: [first, enrolled] },
      false,
    ],
    ['no app uses the other', { steps: [first, code], other: [first, enrolled], used: ['strict'] }, false],
    ['no app uses this one', { steps: [first, code], other: [first, enrolled], used: ['easy'] }, false],
    [
      '/account uses the other',
      { steps: [first, code], other: [first, enrolled], used: ['strict'], account: { flow: 'easy' } },
      true,
    ],
    ['/account lets the password add it', { steps: [first, code], account: { enrolBy: 'password' } }, true],
    ['… but is off', { steps: [first, code], account: { enrolBy: 'password', enabled: false } }, false],
    [
      '… to which backup codes alone are nothing',
      { steps: [first, { ...code, options: ['backup-code'] }], account: { enrolBy: 'password' } },
      false,
    ],
  ];
  for (const [name, given, advised] of cases) {
    t.same(
      adviceOn(given).map(({ path }) => path),
      advised ? ['steps[1]'] : [],
      name,
    );
  }
});

t.test('another flow with faults is none', async (t) => {
  for (const other of [undefined, [], [{ id: 'x' }], [first, { ...enrolled, onUnavailable: 'later' }], [3]]) {
    t.same(adviceOn({ steps: [first, code], other: other as object[] }), [], JSON.stringify(other));
  }
});

t.test('both places are named', async (t) => {
  const [advice] = adviceOn({ steps: [first, code], other: [first, enrolled] });
  t.match(advice?.message, /“sms-otp” with the password alone, but “easy” \(steps\[1\]\) does/);
  const [own] = adviceOn({ steps: [first, code], account: { enrolBy: 'password' } });
  t.match(own?.message, 'gateway.yaml (account.enrolBy: password)');
});
