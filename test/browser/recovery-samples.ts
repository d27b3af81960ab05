/** Samples of what is met on the way back into an account, and of the pages at a sign-in's end. */
import { newPasswordScreen } from '../../src/flows/index.ts';
import type { Flow } from '../../src/flows/types.ts';
import type { ErrorView, ExpiredView, Page } from '../../src/http/types.ts';
import { text } from '../../src/lib/texts.ts';
import { accountPage } from './account-samples.ts';
import { AT, login, longName, offers, sample, screen, sent, shop, step } from './screens.ts';

const [first, second] = sample.steps as [Flow['steps'][0], Flow['steps'][0]];
const remembering: Flow = { ...sample, steps: [first, { ...second, rememberMs: 30 * 86_400_000 }] };

const recovery: Flow = {
  ...sample,
  id: 'recovery',
  steps: [
    step('account', 'reset-account'),
    step('code', 'reset-email', 'reset-sms'),
    step('new', 'new-password'),
  ],
};
/** Where nothing has been shown yet, no page says more to one name than to another. */
const unproved = { subject: { userId: null, name: 'demo' }, proved: false };
const atCode = { ...unproved, step: 'code', offered: offers('reset-email', 'reset-sms') };

const noApp = (page: Omit<Page, 'locale'>): Omit<Page, 'locale'> => ({ ...page, app: null });

const said = (what: 'done' | 'gone', status: number): Omit<Page, 'locale'> => ({
  ...{ view: 'people/said', title: text(`people.${what}Heading`), status },
  data: { heading: text(`people.${what}Heading`), sentence: text(`people.${what}Sentence`) },
});

const chosen = newPasswordScreen('demo');
const linkScreen = {
  ...{ ...chosen, name: 'new-password', progress: null, version: 1, at: AT },
  fields: chosen.fields.map((field) =>
    field.name === 'password' ? { ...field, error: text('users.password.alone', { count: 15 }) } : field,
  ),
};

const sure = { name: 'sure', type: 'checkbox', label: text('account.data.sure'), value: '', required: true };
const offer = text('account.data.deleteSentence', { count: 14 });
const data = (values: object, more: Partial<Page> = {}) =>
  accountPage('data', text('account.data.title'), { going: null, offer, sure, ...values }, {}, more);

const otherBrowser: ErrorView = {
  ...{ heading: text('error.refused'), sentence: text('problem.other_browser'), detail: null },
  reference: '3f9a01c27b',
  back: { href: 'http://localhost:3001/', label: text('expired.start', { app: longName.name }) },
};

export const recoverySamples: Record<string, Omit<Page, 'locale'>> = {
  remember: login(
    screen(
      { option: 'sms-otp', sent: { 'sms-otp': sent } },
      {
        delivery: 'accepted',
        typed: { remember: 'on' },
        problem: { text: text('sms-otp.wrong', { count: 1 }), field: 'code' },
      },
      remembering,
    ),
  ),
  'reset-account': login(
    screen(
      {
        ...unproved,
        subject: null,
        step: 'account',
        offered: offers('reset-account'),
        option: 'reset-account',
      },
      {},
      recovery,
    ),
  ),
  'reset-choose': login(screen(atCode, {}, recovery), longName),
  'reset-send': login(screen({ ...atCode, option: 'reset-sms' }, {}, recovery)),
  'reset-code': login(
    screen(
      { ...atCode, option: 'reset-email', sent: { 'reset-email': { ...sent, last2: null } } },
      {},
      recovery,
    ),
  ),
  'reset-new': login(
    screen(
      { step: 'new', offered: offers('new-password'), option: 'new-password' },
      { name: 'demo' },
      recovery,
    ),
  ),
  'reset-renewed': login(
    screen({
      ...{ subject: null, proved: false, step: 'first', offered: offers('password') },
      ...{ option: 'password', renewed: true },
    }),
  ),
  'reset-no-way': login(screen({ offered: [] }, { withheld: 'sms', app: longName }), longName),
  'reset-link': noApp(login(linkScreen)),
  'reset-link-done': said('done', 200),
  'reset-link-gone': said('gone', 410),
  'locked-for-good': login(
    screen({ option: 'sms-otp', offered: offers('sms-otp'), locked: { until: null } }),
  ),
  'ended-signed-out': login(screen({ ended: 'signed-out' })),
  done: {
    ...{ view: 'login/expired', title: text('expired.doneTitle'), status: 410, app: shop },
    data: { startUrl: 'http://localhost:3001/', done: true } satisfies ExpiredView,
  },
  'other-browser': {
    ...{ view: 'error', title: otherBrowser.heading, status: 403, app: longName, data: otherBrowser },
  },
  'logged-out-here': {
    ...{ view: 'oidc/logged-out', title: text('logout.doneTitle'), data: { heading: text('logout.done') } },
  },
  'account-data': data({}),
  'account-data-error': data(
    { sure: { ...sure, error: text('account.data.sureMissing') } },
    { error: true, status: 422 },
  ),
  'account-data-going': data({ going: 'March 15, 2026' }),
  'account-data-kept': data({ offer: null }),
};
