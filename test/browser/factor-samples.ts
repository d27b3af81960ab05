/** Samples of the pages on which people change what they sign in with. */
import { whenOf } from '../../src/account/when.ts';
import { authenticatorFigure } from '../../src/flows/authenticators/figure.ts';
import { totpDefaults } from '../../src/flows/authenticators/totp.ts';
import { challengeScreen, codeScreen, numberScreen } from '../../src/flows/index.ts';
import type { Page } from '../../src/http/types.ts';
import { text } from '../../src/lib/texts.ts';
import { accountPage } from './account-samples.ts';

const now = new Date('2026-03-01T12:00:00Z');
const ago = (hours: number) => whenOf(new Date(now.getTime() - hours * 3_600_000), now, 'en');
const codes = { length: 6, expiresMs: 300_000, attempts: 5, resendAfterMs: 30_000, resends: 5 };

const { fields } = numberScreen('sms-otp', { locale: 'en', typed: { phone: '12', country: 'DE' } });
const { actions, fields: codeFields } = codeScreen('sms-otp', {
  ...{ alone: true, enrol: true, settings: {}, delivery: 'accepted', now: now.getTime() },
  codes: () => ({ ...codes, alphabet: 'numeric' }),
  sent: { codeId: 'otc_1', at: now.getTime() - 7000, count: 1, suffix: '', last2: '67', refused: null },
});
/** More work than a browser does while it is looked at. */
const earned = challengeScreen(
  {
    ...{ kind: 'proof-of-work', salt: 'A'.repeat(22), bits: 32 },
    ...{ expiresAt: now.getTime() + 600_000, waitUntil: now.getTime() + 60_000 },
  },
  actions.filter(({ name }) => name === 'change-number'),
);
const figure = await authenticatorFigure('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', totpDefaults, {
  ...{ issuer: 'Sallyport', account: 'demo' },
});
const warning = (key: string, count: number) => ({
  notices: [{ tone: 'warning', text: text(key, { count }) }],
});
const list = Array.from({ length: 10 }, (_, n) => `K${n}Q7X-M3WPA`);
const until = { value: '2026-04-01', min: '2026-03-01', max: '2027-03-02' };
const both = { allowed: 'Demo shop', refused: 'Landesversorgungsamt Mecklenburg-Vorpommern and Bank' };

export const factorSamples: Record<string, Page> = {
  'account-phone': accountPage('phone', text('account.phone.heading'), {
    ...{ heading: text('account.phone.heading'), held: false, last2: '67', addsSecond: true, stamp: 'stamp' },
    fields: fields.map((field) =>
      field.name === 'phone' ? { ...field, error: text('sms-otp.badNumber') } : field,
    ),
  }),
  'account-phone-two': accountPage(
    'phone',
    text('account.phone.heading'),
    {
      ...{ heading: text('account.phone.heading'), held: false, last2: '67', second: '22' },
      ...{ addsSecond: true, stamp: 'stamp', fields },
    },
    { notices: [{ tone: 'warning', text: text('account.phone.moved') }] },
    { error: true, status: 409 },
  ),
  'account-phone-second': accountPage('phone-second', text('account.phone.secondAdd'), {
    ...{ heading: text('account.phone.secondAdd'), held: false, last2: '67', fields },
  }),
  'account-phone-challenge': accountPage('phone-code', earned.heading, {
    screen: { ...earned, at: now.getTime(), sentence: earned.sentence ?? null },
  }),
  'account-phone-none': accountPage('phone', text('account.phone.headingAdd'), {
    ...{ heading: text('account.phone.headingAdd'), held: false, last2: null, fields },
  }),
  'account-phone-held': accountPage(
    'phone',
    text('account.phone.heading'),
    { heading: text('account.phone.heading'), held: true, last2: '67', fields },
    warning('account.held', 23),
  ),
  'account-phone-code': accountPage('phone-code', text('sms-otp.heading'), {
    screen: {
      ...{ heading: text('sms-otp.heading'), sentence: text('sms-otp.sentTo', { last2: '67' }) },
      ...{
        at: now.getTime(),
        fields: codeFields,
        actions: actions.filter(({ name }) => name !== 'not-mine'),
      },
    },
  }),
  'account-code': accountPage('code', text('account.code.title'), {
    ...{ codeOff: false, state: null, mayOff: true, fault: null, until, ...both },
  }),
  'account-code-off': accountPage('code', text('account.code.title'), {
    ...{ codeOff: true, mayOff: true, fault: text('account.code.badDate'), until, ...both },
    state: text('account.code.offUntil', { date: '2026-04-01' }),
  }),
  'account-code-required': accountPage('code', text('account.code.title'), {
    ...{ codeOff: false, state: null, mayOff: false, fault: null, until, ...both, allowed: '' },
  }),
  'account-codes': accountPage('backup-codes', text('account.codes.title'), {
    ...{ state: text('account.codes.state', { left: 7, count: 10 }), some: true, replaces: 'none' },
    ...{ missing: false, confirmed: false },
  }),
  'account-codes-low': accountPage(
    'backup-codes',
    text('account.codes.title'),
    { state: null, some: true, replaces: 'none', missing: true, confirmed: false },
    warning('account.codes.few', 2),
    { error: true, status: 422 },
  ),
  'account-codes-new': accountPage('backup-codes-new', text('account.codes.newTitle'), {
    ...{ codes: list, list: list.join('\n') },
    about: text('account.codes.file', { name: 'demo', gateway: 'Sallyport' }),
  }),
  'account-authenticator': accountPage('authenticator', text('account.authenticator.title'), {
    authenticators: [
      { id: 'crd_1', label: 'Taschentelefon', added: ago(900), used: ago(3) },
      { id: 'crd_2', label: text('account.authenticator.unnamed'), added: ago(1), used: null },
      { id: 'crd_3', label: 'W'.repeat(60), added: ago(1), used: null },
    ],
  }),
  'account-authenticator-none': accountPage('authenticator', text('account.authenticator.title'), {
    authenticators: [],
  }),
  'account-authenticator-new': accountPage('authenticator-new', text('account.authenticator.newTitle'), {
    ...{ figure, label: 'Pocket', longestLabel: 60 },
    fields: [
      {
        ...{ name: 'code', type: 'code', label: text('account.authenticator.code'), inputmode: 'numeric' },
        ...{ autocomplete: 'one-time-code', required: true, focus: true, maxLength: 40 },
        error: text('totp.wrong'),
      },
    ],
  }),
};
