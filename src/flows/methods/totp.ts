import { after } from '../../lib/clock.ts';
import { Type } from '../../lib/schema.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { Tx } from '../../storage/types.ts';
import type { SecretCredential, User } from '../../users/types.ts';
import { authenticatorFigure, parametersOf } from '../authenticators/figure.ts';
import { matchTotp, newSeed, type TotpMatch, type TotpParameters } from '../authenticators/totp.ts';
import type { CheckContext, CheckResult, Input, Method, MethodScreen, View } from '../method.ts';
import type { Field } from '../types.ts';

/**
 * Wrong codes that are compared for one user in a stretch of time, however many logins they are typed into at once: the
 * lock comes after the fifth, when others may be under way already.
 */
const triesPerWindow = 10;
const windowMs = 5 * 60_000;

/** Time steps before and after the present one (RFC 6238, section 5.2 recommends one). */
const usualWindow = 1;

/** Looked at where there is nothing to look at, so that the time tells nobody which names have an app. */
const decoy = 'A'.repeat(32);

interface Settings extends Partial<TotpParameters> {
  window?: number;
  issuer?: string;
}

/** While the user sets it up. */
interface Enrolling {
  /** Sealed. It never stands in the page's form: what is typed is compared with what was shown. */
  seed?: string;
}

/** A code that an app on the user's phone makes of the time (RFC 6238). Nothing is sent for it. */
export const totp = {
  id: 'totp',
  kind: 'possession',
  amr: ['otp'],
  identifies: false,
  channel: null,
  enrols: true,
  options: Type.Partial(
    Type.Object({
      digits: Type.Enum([6, 8], { description: 'Digits of a code. Default: 6.' }),
      period: Type.Integer({
        minimum: 15,
        maximum: 120,
        description: 'Seconds for which a code is shown. Default: 30. Some apps know nothing else.',
      }),
      algorithm: Type.Enum(['SHA1', 'SHA256', 'SHA512'], {
        description: 'Default: SHA1. Some apps know nothing else.',
      }),
      window: Type.Integer({
        minimum: 0,
        maximum: 3,
        description: 'Codes before and after the present one that pass: clocks differ. Default: 1.',
      }),
      issuer: Type.String({
        pattern: '^[^:]+$',
        maxLength: 64,
        description: 'What the app calls it. Default: the name of the gateway.',
      }),
    }),
    { additionalProperties: false },
  ),
  input: Type.Object({ code: Type.Optional(Type.String({ maxLength: 64 })) }),
  label: text('totp.label'),
  texts: {
    'totp.label': 'Use your authenticator app',
    'totp.heading': 'Enter code',
    'totp.sentence': 'Open your authenticator app and type the code that it shows now.',
    'totp.headingStart': 'Set up an authenticator app',
    'totp.sentenceStart':
      'It is an app on your phone that shows a new code whenever you sign in, even without a connection. Any authenticator app will do.',
    'totp.start': 'Set it up now',
    'totp.headingScan': 'Add it to your app',
    'totp.sentenceScan': 'Scan the picture with your authenticator app, then type the code that it shows.',
    'totp.picture': 'QR code for your authenticator app',
    'totp.open': 'Open the app on this device',
    'totp.key': 'Or type this key into the app:',
    'totp.parameters': 'If the app asks: {digits} digits, a new code every {period} seconds, {algorithm}.',
    'totp.code': 'Code from the app',
    'totp.next': 'Continue',
    'totp.empty': 'Please type the code that your app shows.',
    'totp.wrong':
      'That is not the code that the app shows now. If it happens again, let your phone set its clock by itself.',
    'totp.used': 'This code has already been used. Please wait for the next one.',
  },

  gather: async ({ users }, db, { id }) =>
    (await users.credentials.list(db, id, 'totp')).map(({ data }) => parametersOf(data).digits),

  available: ({ fact }) => (lengthsOf(fact).length > 0 ? { is: 'yes' } : { is: 'enrol' }),

  async figure({ crypto, gateway }, { loginId, scratch, settings, user }) {
    const { seed } = scratch as Enrolling;
    if (seed === undefined) return null;
    const { issuer = gateway() } = settings as Settings;
    const opened = crypto.open('credential', seed, loginId);
    return authenticatorFigure(opened, parametersOf(settings), { issuer, account: user.username });
  },

  screen(view) {
    if (!view.enrol) return codeScreen(view);
    return view.figure ? scanScreen(view) : startScreen;
  },

  check: (context, input) => (context.enrol ? enrol(context, input) : verify(context, input)),
} satisfies Method;

/** Digits of the codes of each app; none before a factor was passed. */
const lengthsOf = (fact: unknown): number[] => (Array.isArray(fact) ? fact : []);

const next: MethodScreen['actions'] = [
  { name: 'submit', label: text('totp.next'), style: 'primary', skipsValidation: false },
];

const startScreen: MethodScreen = {
  heading: text('totp.headingStart'),
  sentence: text('totp.sentenceStart'),
  fields: [],
  actions: [{ name: 'set-up', label: text('totp.start'), style: 'primary', skipsValidation: true }],
  notices: [],
};

function codeScreen({ fact, settings }: View): MethodScreen {
  const [length = parametersOf(settings).digits, ...others] = lengthsOf(fact);
  return {
    heading: text('totp.heading'),
    sentence: text('totp.sentence'),
    // Of two apps one may show more digits: then nobody can say when the code is whole.
    fields: [codeField(others.every((other) => other === length) ? length : null)],
    actions: next,
    notices: [],
  };
}

function scanScreen({ figure, settings }: View): MethodScreen {
  const { algorithm, digits, period } = parametersOf(settings);
  const usual = algorithm === 'SHA1' && digits === 6 && period === 30;
  return {
    heading: text('totp.headingScan'),
    sentence: text('totp.sentenceScan'),
    figure: figure ?? null,
    fields: [codeField(digits)],
    actions: next,
    notices: usual ? [] : [{ tone: 'info', text: text('totp.parameters', { digits, period, algorithm }) }],
  };
}

const codeField = (length: number | null): Field => ({
  ...{ name: 'code', type: 'code', label: text('totp.code'), autocomplete: 'one-time-code' },
  ...{ inputmode: 'numeric', required: true, focus: true, maxLength: 20 },
  ...(length !== null && { length }),
});

const retry = (reason: string, sentence: Text, tried = true): CheckResult => ({
  ...{ is: 'retry', reason, text: sentence, field: 'code', tried },
});

const counterKey = (key: string): string => `totp:${key}`;

const windowOf = (settings: Record<string, unknown>): number => (settings as Settings).window ?? usualWindow;

/** The first submit makes the seed, the second one proves that an app has it. */
async function enrol(context: CheckContext, { values: { code = '' } }: Input): Promise<CheckResult> {
  const { loginId, now, scratch, services, settings, subjectKey, user } = context;
  const { counters, crypto, random } = services;
  const parameters = parametersOf(settings);
  const { seed: sealed } = scratch as Enrolling;
  if (sealed === undefined) {
    const fresh = crypto.seal('credential', await newSeed(parameters.algorithm, random), loginId);
    return { is: 'stay', scratch: { seed: fresh } satisfies Enrolling, effects: [] };
  }
  if (code === '') return retry('empty', text('totp.empty'), false);
  if (!user || subjectKey === null) return { is: 'fail', reason: 'no-user' };
  const tries = await counters.add(counterKey(subjectKey), windowMs, now);
  if (tries > triesPerWindow) return { is: 'locked', until: after(now, windowMs) };
  const seed = crypto.open('credential', sealed, loginId);
  const match = await matchTotp(seed, parameters, code, { now, used: null, window: windowOf(settings) });
  if (match.is !== 'right') return retry('wrong', text('totp.wrong'));
  return {
    is: 'pass',
    commit: (tx) => save(context, tx, user, seed, match.step),
    riders: () => [counters.adding(counterKey(subjectKey), windowMs, now, -1)],
    events: [{ name: 'user.factor_added', data: { factor: 'totp' } }],
  };
}

/** Looked at again here: who has an app already does not get another one by the password alone. */
async function save(
  { now, services, settings }: CheckContext,
  tx: Tx,
  user: User,
  secret: string,
  step: number,
): Promise<boolean> {
  const { credentials, lock } = services.users;
  if (!(await lock(tx, user.id)) || (await credentials.list(tx, user.id, 'totp')).length > 0) return false;
  const data = { ...parametersOf(settings) };
  await credentials.add(tx, { userId: user.id, type: 'totp', label: '', data, secret }, step, now);
  return true;
}

async function verify(context: CheckContext, { values: { code = '' } }: Input): Promise<CheckResult> {
  const { now, proved, services, subjectKey, user } = context;
  const { counters, db, guard, users } = services;
  if (code === '') return retry('empty', text('totp.empty'), false);
  if (subjectKey === null) return { is: 'fail', reason: 'no-user' };
  const keys = countedKeys(context, subjectKey);
  const [told = null, untold = null] = await Promise.all(
    keys.map((key) => guard.lockedUntil(db, key, 'totp', now)),
  );
  if (told) return { is: 'locked', until: told };
  // Counted before anything is compared: of many tries at once only so many are looked at.
  const [tries = 0, untoldTries = 0] = await Promise.all(
    keys.map((key) => counters.add(counterKey(key), windowMs, now)),
  );
  if (tries > triesPerWindow) return { is: 'locked', until: after(now, windowMs) };
  const closed = untold !== null || untoldTries > triesPerWindow;
  const own = await users.credentials.open(db, user?.id ?? '', 'totp');
  const { credential, match } = await look(own, code, context);
  if (match.is === 'used' && proved) return retry('used', text('totp.used'));
  if (match.is !== 'right' || credential === null || closed) {
    const [failed] = await Promise.all(keys.map((key) => guard.failed(db, key, 'totp', now)));
    if (failed?.lockedUntil) return { is: 'locked', until: failed.lockedUntil };
    return retry('wrong', text('totp.wrong'));
  }
  return {
    is: 'pass',
    guards: [users.credentials.using(db, credential, match.step, now)],
    lost: text('totp.used'),
    riders: (handle) => [
      ...keys.map((key) => guard.succeeding(handle, key, 'totp')),
      ...keys.map((key) => counters.adding(counterKey(key), windowMs, now, -1)),
    ],
  };
}

/**
 * Under what a try is counted and locks hold: what is told comes first. Before a factor was passed the account's own
 * counts beside the name as typed, and holds without being told; a name without an account gets a second one, too.
 */
function countedKeys({ proved, services: { guard }, user }: CheckContext, subjectKey: string): string[] {
  if (proved) return [subjectKey];
  return [subjectKey, guard.subjectKey(user ? user.id : `no account:${subjectKey}`)];
}

/** All apps of the user are looked at, whichever fits; of one who has none a decoy. */
async function look(
  own: SecretCredential[],
  code: string,
  { now, settings }: CheckContext,
): Promise<{ credential: SecretCredential | null; match: TotpMatch }> {
  const window = windowOf(settings);
  if (own.length === 0) {
    await matchTotp(decoy, parametersOf(settings), code, { now, used: null, window });
    return { credential: null, match: { is: 'wrong' } };
  }
  const looked = await Promise.all(
    own.map(async (credential) => {
      const { counter: used, data, secret } = credential;
      const match = await matchTotp(secret, parametersOf(data), code, { now, used, window });
      return { credential, match };
    }),
  );
  const best = (is: TotpMatch['is']) => looked.find(({ match }) => match.is === is);
  return best('right') ?? best('used') ?? { credential: null, match: { is: 'wrong' } };
}
