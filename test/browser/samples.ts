/** One sample of every page: the screens of logins as the flows make them, and the pages beside them. */
import { conversation } from '../../src/delivery/simulator/conversation.ts';
import type { SimulatedMessage } from '../../src/delivery/simulator/store.ts';
import { authenticatorFigure } from '../../src/flows/authenticators/figure.ts';
import { totpDefaults } from '../../src/flows/authenticators/totp.ts';
import type { LoginState } from '../../src/flows/engine/state.ts';
import type { Screen } from '../../src/flows/types.ts';
import type { CaptchaKind } from '../../src/guard/types.ts';
import type { DeviceConfirmView, DeviceView, ErrorView, Page } from '../../src/http/types.ts';
import { type Text, text } from '../../src/lib/texts.ts';
import { accountSamples } from './account-samples.ts';
import { factorSamples } from './factor-samples.ts';
import { recoverySamples } from './recovery-samples.ts';
import { AT, login, longName, offers, screen, sent, shop } from './screens.ts';

const sentBefore = { ...sent, at: AT - 60_000 };

const setUp = [{ method: 'totp', enrol: true }];
const figure = await authenticatorFigure('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', totpDefaults, {
  issuer: 'Sallyport',
  account: 'demo',
});

const atFirst: Partial<LoginState> = {
  subject: null,
  proved: false,
  step: 'first',
  offered: offers('password'),
};
const forgot = { label: text('reset.forgot'), name: 'recover' };
const withForgot = (value: Screen): Screen => ({
  ...value,
  fields: value.fields.map((field) => (field.type === 'password' ? { ...field, link: forgot } : field)),
});

const problem: ErrorView = {
  heading: text('error.heading'),
  sentence: text('problem.internal'),
  detail: null,
  reference: '3f9a01c27b',
  back: { href: 'http://localhost:3001/', label: text('page.backTo', { app: 'Demo shop' }) },
};

/** Before a message that has to be earned. */
const challenge = (
  task: { kind: 'proof-of-work'; salt: string; bits: number } | { kind: CaptchaKind; siteKey: string },
) =>
  screen({
    option: 'sms-otp',
    challenge: { method: 'sms-otp', task: { ...task, expiresAt: AT + 600_000, waitUntil: AT + 60_000 } },
  });
/** More work than a browser does while it is looked at. */
const endless = { kind: 'proof-of-work' as const, salt: 'A'.repeat(22), bits: 32 };
const captcha = (kind: CaptchaKind) => challenge({ kind, siteKey: 'public' });

const message = (id: string, code: string): SimulatedMessage => ({
  ...{ id, channel: 'sms', to: '+15005550006', from: null, app: 'Demo shop', at: new Date(AT) },
  subject: null,
  ...{ code, text: `${code} is your code for Demo shop. It is valid for 5 minutes.` },
});

const ofForm = { actionUrl: '/posted', xsrf: 'xsrf', code: 'BCDF-GHJK' };
const device = (fault: Text | null): Omit<Page, 'locale'> => ({
  ...{ view: 'oidc/device', title: text('device.title'), error: fault !== null, app: null },
  data: { ...ofForm, fault } satisfies DeviceView,
});
const deviceConfirm = (
  about: Pick<DeviceConfirmView, 'appName' | 'address' | 'userAgent'>,
): Omit<Page, 'locale'> => ({
  ...{ view: 'oidc/device-confirm', title: text('device.confirmTitle'), app: shop },
  data: { ...ofForm, ...about } satisfies DeviceConfirmView,
});
const deviceDone = (how: 'done' | 'denied'): Omit<Page, 'locale'> => ({
  ...{ view: 'oidc/device-done', title: text(`device.${how}Title`), app: shop },
  data: { heading: text(`device.${how}Title`), sentence: text(`device.${how}Sentence`) },
});

export const samples: Record<string, Omit<Page, 'locale'>> = {
  identify: login(screen({ ...atFirst, option: 'identify', offered: offers('identify') })),
  password: login(withForgot(screen({ ...atFirst, option: 'password' }))),
  'password-error': login(
    withForgot(
      screen(
        { ...atFirst, option: 'password' },
        { typed: { username: 'demo' }, problem: { text: text('password.wrong'), field: 'password' } },
      ),
    ),
  ),
  'password-known': login(
    screen({ ...atFirst, option: 'password', subject: { userId: null, name: 'demo' } }, { name: 'demo' }),
  ),
  'sms-otp-send': login(screen({ option: 'sms-otp' })),
  'sms-otp': login(screen({ option: 'sms-otp', sent: { 'sms-otp': sent } }, { delivery: 'accepted' })),
  'sms-otp-two': login(
    screen(
      { option: 'sms-otp', sent: { 'sms-otp': { ...sent, number: 'first' } } },
      { delivery: 'accepted', fact: { first: '67', second: '22' } },
    ),
  ),
  'sms-otp-error': login(
    screen(
      { option: 'sms-otp', sent: { 'sms-otp': sentBefore } },
      { delivery: 'unavailable', problem: { text: text('sms-otp.wrong', { count: 2 }), field: 'code' } },
    ),
    longName,
  ),
  'sms-otp-stopped': login(screen({ option: 'sms-otp', sent: { 'sms-otp': sent } }, { delivery: 'stopped' })),
  'sms-otp-held': login(
    screen({
      option: 'sms-otp',
      sent: {
        'sms-otp': { ...sent, codeId: null, refused: { reason: 'prefix', until: AT + 12 * 3_600_000 } },
      },
    }),
  ),
  challenge: login(challenge(endless)),
  'challenge-turnstile': login(captcha('turnstile')),
  'challenge-hcaptcha': login(captcha('hcaptcha')),
  'challenge-recaptcha': login(captcha('recaptcha')),
  'backup-code': login(screen({ option: 'backup-code' })),
  enrol: login(
    screen(
      { option: 'sms-otp', offered: [{ method: 'sms-otp', enrol: true }] },
      {
        typed: { country: 'DE', phone: '12' },
        problem: { text: text('sms-otp.badNumber'), field: 'phone' },
      },
    ),
  ),
  totp: login(screen({ option: 'totp', offered: offers('totp', 'backup-code') })),
  'totp-start': login(
    screen({ option: 'totp', offered: setUp, graceUntil: AT + 13 * 86_400_000 + 1 }),
    longName,
  ),
  'totp-scan': login(
    screen(
      { option: 'totp', offered: setUp, scratch: { totp: { seed: 'sealed' } } },
      { figure, problem: { text: text('totp.wrong'), field: 'code' } },
    ),
  ),
  choose: login(screen({})),
  locked: login(screen({ option: 'sms-otp', locked: { until: AT + 290_000 } })),
  'no-way-on': login(screen({ offered: [] })),
  continue: login(screen({ step: null }, { name: 'demo' })),
  ended: login(screen({ ended: 'disabled' })),
  consent: {
    view: 'oidc/consent',
    title: text('consent.title'),
    app: shop,
    data: {
      actionUrl: '/posted',
      formToken: 'token',
      user: 'Demo Person',
      scopes: ['openid', 'profile', 'email', 'phone', 'offline_access'].map((scope) =>
        text(`consent.scope.${scope}`),
      ),
    },
  },
  logout: {
    view: 'oidc/logout',
    title: text('logout.title'),
    app: shop,
    data: { actionUrl: '/posted', xsrf: 'xsrf' },
  },
  'logged-out': {
    view: 'oidc/logged-out',
    title: text('logout.doneTitle'),
    app: shop,
    data: { heading: text('logout.done') },
  },
  device: device(null),
  'device-used': device(text('device.used')),
  'device-confirm': deviceConfirm({ appName: shop.name, address: '203.0.113.7', userAgent: 'Telly/7' }),
  'device-unknown': deviceConfirm({ appName: longName.name, address: null, userAgent: null }),
  'device-long': deviceConfirm({
    appName: shop.name,
    address: '2001:0db8:85a3:1234:5678:8a2e:0370:7334',
    userAgent: `Telly/7 ${'a-name-without-any-place-to-break-it'.repeat(5)}`,
  }),
  'device-done': deviceDone('done'),
  'device-denied': deviceDone('denied'),
  expired: {
    view: 'login/expired',
    title: text('expired.title'),
    status: 410,
    app: shop,
    data: { startUrl: 'http://localhost:3001/' },
  },
  error: { view: 'error', title: problem.heading, status: 500, app: shop, data: problem },
  'error-developer': {
    view: 'error',
    title: text('error.refused'),
    status: 400,
    data: {
      ...problem,
      heading: text('error.refused'),
      sentence: text('This redirect address is not registered for the app.'),
      detail: 'https://a-rather-long-host-name.example.test/callback/of/the/application?with=a&query=too',
      back: null,
    },
  },
  simulator: {
    view: 'simulator/index',
    title: text('simulator.title'),
    data: conversation(
      [message('sim_2', '123456'), message('sim_1', '998877')],
      { to: null, channel: undefined },
      'en',
    ),
  },
  'simulator-mail': {
    view: 'simulator/index',
    title: text('simulator.title'),
    data: conversation(
      [
        { ...message('sim_2', '123456'), channel: 'email', subject: 'Your code for Demo shop' },
        message('sim_1', '998877'),
      ],
      { to: null, channel: undefined },
      'en',
    ),
  },
  home: { view: 'home', title: text('home.title'), data: { account: true } },
  ...accountSamples,
  ...factorSamples,
  ...recoverySamples,
};
