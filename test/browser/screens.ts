/** Screens of logins as the flows make them, for the samples of every page. */
import type { LoginState } from '../../src/flows/engine/state.ts';
import { type Surroundings, screenOf } from '../../src/flows/pages/screens.ts';
import { allMethods } from '../../src/flows/recovery/methods.ts';
import type { Flow, Screen, Step } from '../../src/flows/types.ts';
import type { Page, PageApp } from '../../src/http/types.ts';

export const shop: PageApp = {
  name: 'Demo shop',
  logoUrl: null,
  home: 'http://localhost:3001/',
  helpContact: 'help@example.test',
  privacyUrl: 'https://example.test/privacy',
  termsUrl: 'https://example.test/terms',
};

export const longName: PageApp = {
  ...shop,
  helpContact: 'Bürgertelefon, montags bis freitags von acht bis achtzehn Uhr',
  name: 'Landesversorgungsamt Mecklenburg-Vorpommern Bürgerserviceportal',
  logoUrl: `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 40"><rect width="90" height="40" rx="6" fill="#0a7d6d"/></svg>')}`,
};

export const AT = 1_750_000_000_000;
export const sent = { suffix: '', codeId: 'otc_1', at: AT - 7_000, count: 1, last2: '67', refused: null };
export const offers = (...methods: string[]) => methods.map((method) => ({ method, enrol: false }));
const both = offers('sms-otp', 'backup-code');

const option = (method: string) => ({ method, settings: {} });
export const step = (id: string, ...options: string[]): Step => ({
  id,
  options: options.map(option),
  userMayDisable: false,
  onUnavailable: 'fail',
  graceMs: null,
  when: null,
  rememberMs: null,
  maxAgeMs: null,
});
export const sample: Flow = {
  id: 'sample',
  name: 'Sample',
  versionId: 'flv_1',
  version: 1,
  steps: [step('first', 'identify', 'password'), step('second', 'sms-otp', 'backup-code')],
};

/** What stands on the page of a login in this state. */
export function screen(
  state: Partial<LoginState>,
  around: Partial<Surroundings> = {},
  flow: Flow = sample,
): Screen {
  const whole: LoginState = {
    ...{ subject: { userId: 'usr_1', name: null }, counts: true, maxAgeMs: null, acr: [], hint: null },
    ...{ passed: [], skipped: [], proved: true, step: 'second', offered: both, option: null },
    ...{ locked: null, ended: null, sent: {}, scratch: {} },
  };
  const codes = { length: 6, expiresMs: 300_000, attempts: 5, resendAfterMs: 30_000, resends: 5 };
  return screenOf(
    flow,
    { ...whole, ...state },
    {
      ...{
        app: shop,
        methods: allMethods,
        codes: () => ({ ...codes, alphabet: 'numeric' }),
        name: null,
        hint: null,
      },
      ...{
        delivery: null,
        fact: undefined,
        problem: null,
        typed: {},
        preferred: [],
        locale: 'en',
        version: 3,
      },
      now: new Date(AT),
      ...around,
    },
  );
}

export function login(value: Screen, app: PageApp = shop): Omit<Page, 'locale'> {
  const error =
    value.fields.some((field) => field.error) || value.notices.some(({ tone }) => tone === 'error');
  return {
    view: 'login/step',
    title: value.heading,
    error,
    app,
    data: { screen: value, actionUrl: '/posted', formToken: 'token' },
  };
}
