import t from 'tap';
import { accountApp, accountFlow, accountSection } from '../../src/account/index.ts';
import { allows, type Standing } from '../../src/account/standing.ts';
import { whenOf } from '../../src/account/when.ts';
import { faultsOfApp } from '../../src/apps/checks.ts';
import type { AppDocument } from '../../src/apps/document.ts';
import type { Candidate, Loaded } from '../../src/config/types.ts';
import { flowFaults } from '../../src/flows/documents/checks.ts';
import { asksSecondFactor } from '../../src/flows/index.ts';
import { methods } from '../../src/flows/methods/index.ts';

const step = (id: string, options: string[], more: object = {}) => ({ id, options, ...more });
const flow = (...steps: ReturnType<typeof step>[]) => ({ id: 'main', name: 'Main', steps });

t.test('a flow for these pages asks everybody for a second factor', async (t) => {
  for (const [expected, document] of [
    [true, flow(step('a', ['password']), step('b', ['sms-otp', 'backup-code']))],
    [true, flow(step('a', ['identify']), step('b', ['password']), step('c', ['totp']))],
    [false, flow(step('a', ['password']))],
    [false, flow(step('a', ['identify']), step('b', ['password']))],
    [false, flow(step('a', ['password']), step('b', ['totp'], { when: "'staff' in user.groups" }))],
    [false, flow(step('a', ['password']), step('b', ['backup-code']))],
  ] as const) {
    t.equal(asksSecondFactor(document), expected, JSON.stringify(document.steps));
  }
});

t.test('the setting names such a flow, or none', async (t) => {
  const flows = new Map<string, Loaded>(
    [flow(step('a', ['password'])), { ...flow(step('a', ['password']), step('b', ['totp'])), id: 'two' }].map(
      (resolved) => [resolved.id, { raw: {}, resolved: { ...resolved } }],
    ),
  );
  const candidate: Candidate = { collection: () => flows, setting: () => undefined };
  const deletion = { enabled: false, wait: '14d' };
  const faults = (id: string) =>
    accountSection
      .check?.({ flow: id, deletion }, candidate)
      .map(({ path, message }) => `${path}: ${message}`);
  t.same(faults(''), []);
  t.same(faults('two'), []);
  t.match(faults('none'), [/^flow: names no flow: 'none'/]);
  t.match(faults('main'), [/^flow: 'main' asks for no second factor/]);
});

t.test('the built-in flow has no faults, with and without SMS, and no other id', async (t) => {
  for (const hasSms of [true, false]) {
    const document = accountFlow('@account', hasSms);
    t.ok(document && asksSecondFactor(document));
    const options = document?.steps[1]?.options;
    t.equal(options?.includes('sms-otp'), hasSms);
    const faults = document ? flowFaults(document, methods) : [];
    t.same(
      faults.filter(({ path }) => path !== 'steps[1].userMayDisable'),
      [],
    );
  }
  t.equal(accountFlow('account', true), undefined);
});

t.test('no app of a file has the name of the built-in one', async (t) => {
  const app = {
    id: 'account',
    redirectUris: [],
    postLogoutRedirectUris: [],
    scopes: ['openid'],
    grantTypes: [],
  };
  const document = { ...app, pkce: 'required', resources: [], claims: {} } as unknown as AppDocument;
  const faults = faultsOfApp(document, { issuer: new URL('http://localhost:3000'), demo: false });
  t.match(faults.find(({ path }) => path === 'id')?.message, /part of the gateway/);
  const own = accountApp({
    issuer: new URL('http://localhost:3000'),
    settings: {
      get: <T>(member: string) =>
        (member === 'name' ? 'Gate' : { enabled: true, flow: '', helpContact: '' }) as T,
    },
  });
  t.equal(own.home, 'http://localhost:3000/account');
  t.same([own.grantTypes, own.redirectUris, own.scopes], [[], [], []], 'it can ask for no token');
});

t.test('what a standing allows', async (t) => {
  const settings = (enrolBy: 'second-factor' | 'password') => ({
    ...{ enabled: true, flow: '', enrolBy, helpContact: '', deletion: { enabled: false, wait: '14d' } },
  });
  const table: [Standing, boolean, 'second-factor' | 'password', boolean][] = [
    ['fresh', false, 'second-factor', true],
    ['fresh', true, 'second-factor', true],
    ['alone', false, 'second-factor', true],
    ['alone', true, 'second-factor', false],
    ['alone', true, 'password', true],
    ['due', false, 'password', false],
    ['refused', false, 'password', false],
    ['refused', true, 'password', false],
  ];
  for (const [standing, enrols, enrolBy, expected] of table) {
    t.equal(allows(standing, { enrols }, settings(enrolBy)), expected, [standing, enrols, enrolBy].join(' '));
  }
});

t.test('moments for people', async (t) => {
  const now = new Date('2026-03-01T12:00:00Z');
  const said = (ms: number, locale = 'en') => whenOf(new Date(now.getTime() - ms), now, locale).said;
  t.same(
    [0, 59_000, 60_000, 3 * 3_600_000, 86_400_000, 40 * 86_400_000].map((ms) => said(ms)),
    ['now', 'now', '1 minute ago', '3 hours ago', 'yesterday', 'January 20, 2026'],
  );
  t.equal(said(-2 * 86_400_000, 'de'), 'übermorgen');
  t.match(whenOf(now, now, 'en'), { iso: '2026-03-01T12:00:00.000Z', exact: /Mar 1, 2026.*12:00.*UTC/ });
});
