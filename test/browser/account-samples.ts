/** One sample of every page of the account, with more and longer data than usual. */
import { whenOf } from '../../src/account/when.ts';
import type { Page, PageApp } from '../../src/http/types.ts';
import { type Text, text } from '../../src/lib/texts.ts';

const gateway: PageApp = {
  name: 'Sallyport',
  logoUrl: null,
  home: 'http://localhost:3000/account',
  helpContact: 'help@example.test',
  privacyUrl: null,
  termsUrl: null,
};

const now = new Date('2026-03-01T12:00:00Z');
const ago = (hours: number) => whenOf(new Date(now.getTime() - hours * 3_600_000), now, 'en');
const device = (browser: string, system: string) => text('account.deviceBoth', { browser, system });

/** A page of the account; `frame` says more about what stands around it. */
export const accountPage = (
  name: string,
  title: Text,
  data: object,
  frame: Partial<Record<'notices' | 'overview' | 'back', unknown>> = {},
  more: Partial<Page> = {},
): Page => ({
  ...{ view: `account/${name}`, title, app: gateway, ...more },
  data: { ...data, frame: { token: 'token', notices: [], overview: false, back: null, ...frame } },
});

const passwordField = (name: string, label: string, error?: Text) => ({
  ...{ name, type: 'password', label: text(label), autocomplete: 'current-password', required: true },
  ...(error && { error, focus: true }),
});

const card = (area: string, values?: Record<string, string | number>) => ({
  title: text(`account.${area}.title`),
  state: text(`account.${area}.state`, values),
  action: { label: text(`account.${area}.action`), href: `/account/${area}` },
});

export const accountSamples: Record<string, Page> = {
  account: accountPage(
    'overview',
    text('account.title'),
    {
      name: 'Demo Person',
      cards: [
        card('profile', { name: 'Demo Person', username: 'demo' }),
        card('password'),
        card('devices', { count: 2 }),
        card('sessions', { count: 3 }),
        { ...card('activity'), action: null },
      ],
    },
    {
      overview: true,
      notices: [{ tone: 'success', text: text('account.password.changed') }],
      back: {
        href: 'http://localhost:3001/',
        app: 'Landesversorgungsamt Mecklenburg-Vorpommern Bürgerserviceportal',
      },
    },
  ),
  'account-ask-help': accountPage('ask-help', text('account.askTitle'), {}, {}, { status: 403 }),
  'account-profile': accountPage('profile', text('account.profile.title'), {
    user: {
      username: 'demo',
      email: 'a-rather-long-name-of-a-mailbox@a-rather-long-host-name.example.test',
      emailVerified: true,
    },
    groups: 'staff, editors',
    attributes: [{ name: 'department', value: 'Rindfleischetikettierungsüberwachungsaufgabenübertragung' }],
    field: {
      name: 'name',
      type: 'text',
      label: text('account.profile.name'),
      autocomplete: 'name',
      value: 'Demo',
    },
  }),
  'account-password': accountPage('password', text('account.password.title'), {
    username: 'demo',
    fields: [
      passwordField('oldPassword', 'account.password.old'),
      passwordField('newPassword', 'account.password.new'),
      { name: 'others', type: 'checkbox', label: text('account.password.others'), value: 'on' },
    ],
  }),
  'account-password-error': accountPage(
    'password',
    text('account.password.title'),
    {
      username: 'demo',
      fields: [
        passwordField('oldPassword', 'account.password.old'),
        passwordField('newPassword', 'account.password.new', text('users.password.common')),
      ],
    },
    {},
    { error: true, status: 422 },
  ),
  'account-sessions': accountPage('sessions', text('account.sessions.title'), {
    sessions: [
      {
        id: 'ses_1',
        here: true,
        device: device('Firefox', 'Linux'),
        seen: ago(0),
        began: ago(30),
        ...{ ip: '203.0.113.7', place: 'Germany' },
      },
      {
        ...{ id: 'ses_2', here: false, device: device('Samsung Internet', 'Android') },
        ...{ seen: ago(5), began: ago(1000), ip: '2001:0db8:85a3:1234:5678:8a2e:0370:7334', place: null },
      },
      {
        id: 'ses_3',
        here: false,
        device: text('account.deviceUnknown'),
        seen: ago(99),
        began: ago(99),
        ...{ ip: null, place: null },
      },
    ],
    others: true,
  }),
  'account-devices': accountPage('devices', text('account.devices.title'), {
    devices: [
      { id: 'rdv_1', here: true, device: device('Safari', 'iPhone'), used: ago(2), apps: 'Demo shop, Forum' },
      { id: 'rdv_2', here: false, device: device('Edge', 'Windows'), used: ago(70), apps: '' },
    ],
  }),
  'account-devices-none': accountPage('devices', text('account.devices.title'), { devices: [] }),
  'account-activity': accountPage('activity', text('account.activity.title'), {
    events: ['login', 'stepFailed', 'passwordChanged', 'sessionEnded'].map((what, n) => ({
      said: text(`account.activity.${what}`, { app: 'Demo shop' }),
      at: ago(n * 20),
      device: n === 1 ? null : device('Chrome', 'macOS'),
      ip: n === 2 ? null : '203.0.113.7',
    })),
    ...{ older: '?before=x', first: false },
  }),
  'account-activity-none': accountPage('activity', text('account.activity.title'), {
    ...{ events: [], older: null, first: true },
  }),
};
