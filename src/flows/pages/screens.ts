import type { App } from '../../apps/types.ts';
import type { MessageState } from '../../delivery/types.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { OtpSettings } from '../../otp/types.ts';
import { optionOf } from '../engine/advance.ts';
import type { LoginState } from '../engine/state.ts';
import { isWithheld } from '../engine/withheld.ts';
import { challengeOf } from '../logins/challenge.ts';
import type { MethodScreen, Methods } from '../method.ts';
import type { Action, Field, Figure, Flow, Notice, Screen, ScreenChallenge } from '../types.ts';
import { challengeScreen } from './challenge-screen.ts';
import { rememberField } from './remember.ts';
import { untilText } from './wait.ts';

/** What stands on the page beside the state: read or unsealed for this one answer. */
export interface Surroundings {
  app: Pick<App, 'name'>;
  methods: Methods;
  codes(settings: Record<string, unknown>): OtpSettings;
  name: string | null;
  hint: string | null;
  delivery: MessageState | null;
  /** What the method at hand gathered, once a factor was passed; else undefined. */
  fact: unknown;
  /** What the method at hand shows to another device. */
  figure?: Figure | null;
  /** Who has forgotten the password may replace it. */
  recovers?: boolean;
  /** The channel by which it was replaced while this login was under way. */
  withheld?: 'sms' | 'email' | null;
  /** After a mistake. */
  problem: { text: Text; field?: Field['name'] } | null;
  typed: Record<string, string>;
  /** Methods in the order in which this browser used them last. */
  preferred: string[];
  locale: string;
  version: number;
  now: Date;
}

const dayMs = 24 * 60 * 60_000;

/** Pure: the page of a login as it stands. */
export function screenOf(flow: Flow, state: LoginState, around: Surroundings): Screen {
  const content = contentOf(flow, state, around);
  const step = flow.steps.findIndex(({ id }) => id === state.step);
  return {
    ...withProblem(content, around.problem),
    progress:
      flow.steps.length > 1 && step >= 0 && state.ended === null
        ? { current: step + 1, total: flow.steps.length }
        : null,
    version: around.version,
    at: around.now.getTime(),
  };
}

type Content = MethodScreen & { name: string; asks?: boolean; challenge?: ScreenChallenge };

function contentOf(flow: Flow, state: LoginState, around: Surroundings): Content {
  if (state.ended !== null) return endedScreen(state.ended, around);
  const notYou = state.subject ? [quiet('restart', 'flows.notYou')] : [];
  const ways = [...later(state, around), ...notYou, quiet('cancel', 'flows.cancel')];
  if (state.step === null) return continueScreen(around, ways);
  if (state.offered.length === 0) return noWayScreen(withheldHere(flow, state, around), around, notYou);
  const { locked } = state;
  if (locked && (locked.until === null || locked.until > around.now.getTime())) {
    return lockedScreen(state, locked.until, around, ways);
  }
  const method = state.option === null ? undefined : around.methods.get(state.option);
  if (!method) return chooser(state, around, ways);
  const task = challengeOf(state);
  if (task) return challengeScreen(task, [...otherWays(state, around), ...ways]);
  const own = method.screen({
    settings: optionOf(flow, state.step, method.id)?.settings ?? {},
    codes: around.codes,
    name: around.name,
    hint: around.hint,
    enrol: state.offered.some((offer) => offer.method === method.id && offer.enrol),
    proved: state.proved,
    scratch: state.scratch[method.id] ?? {},
    sent: state.sent[method.id] ?? null,
    delivery: around.delivery,
    typed: around.typed,
    now: around.now.getTime(),
    locale: around.locale,
    fact: around.fact,
    figure: around.figure ?? null,
    recovers: around.recovers ?? false,
    renewed: state.renewed ?? false,
    alone: state.offered.length === 1,
  });
  // What a person needs least comes last.
  const isDenial = ({ name }: Action) => name === 'not-mine';
  // Whoever has begun has decided.
  const notices = own.figure ? own.notices : [...own.notices, ...timeLeft(state, around)];
  const needed = own.actions.filter((action) => !isDenial(action));
  const denial = own.actions.filter(isDenial);
  const actions = [...needed, ...otherWays(state, around), ...ways, ...denial];
  const step = flow.steps.find(({ id }) => id === state.step);
  const fields = [...own.fields, ...rememberField(step, own.fields, around.typed.remember)];
  return { ...own, name: method.id, fields, notices, actions };
}

/** “Not now”, where there is time left to set something up in. */
const later = ({ graceUntil }: LoginState, { now }: Surroundings): Action[] =>
  graceUntil == null || graceUntil <= now.getTime()
    ? []
    : [{ name: 'later', label: text('flows.later'), style: 'secondary', skipsValidation: true }];

/** How many days are left to do it in; said where “Not now” can be pressed. */
function timeLeft({ graceUntil }: LoginState, { now }: Surroundings): Notice[] {
  const left = (graceUntil ?? 0) - now.getTime();
  return left <= 0
    ? []
    : [{ tone: 'info', text: text('flows.laterLeft', { count: Math.ceil(left / dayMs) }) }];
}

/** One other way is one link away, and recovery always is; for several there is a chooser. */
function otherWays({ offered, option }: LoginState, { methods }: Surroundings): Action[] {
  const others = offered.filter(({ method }) => method !== option);
  const recovery = others.filter(({ method }) => methods.get(method)?.kind === 'recovery');
  const direct = others.length === 1 ? others : recovery;
  return [
    ...direct.map(({ method }) => choice(method, 'link', methods)),
    ...(others.length > direct.length ? [quiet('other-ways', 'flows.otherWays')] : []),
  ];
}

function chooser(state: LoginState, around: Surroundings, ways: Action[]): Content {
  const { methods, preferred } = around;
  const rank = ({ method }: { method: string }) => {
    const at = preferred.indexOf(method);
    return at < 0 ? preferred.length : at;
  };
  const ordered = state.offered.toSorted((a, b) => rank(a) - rank(b));
  return {
    name: 'choose',
    heading: text('flows.chooseHeading'),
    fields: [],
    actions: [...ordered.map(({ method }) => choice(method, 'choice', methods)), ...ways],
    notices: timeLeft(state, around),
  };
}

function lockedScreen(
  state: LoginState,
  until: number | null,
  { app, methods, now }: Surroundings,
  ways: Action[],
): Content {
  const others = state.offered.filter(({ method }) => method !== state.option);
  const sentence =
    until === null
      ? text('flows.lockedForGood', { app: app.name })
      : untilText(others.length > 0 ? 'flows.locked' : 'flows.lockedAlone', new Date(until), now);
  const again: Action[] =
    until === null || state.option === null
      ? []
      : [
          {
            ...{ name: `choose:${state.option}`, label: text('flows.tryAgain'), style: 'secondary' },
            ...{ enabledAt: until, skipsValidation: true },
          },
        ];
  return {
    name: 'locked',
    heading: text('flows.lockedHeading'),
    sentence,
    asks: until === null,
    fields: [],
    actions: [...others.map(({ method }) => choice(method, 'choice', methods)), ...again, ...ways],
    notices: [],
  };
}

const noWays = { sms: 'reset.noWay', email: 'reset.noWayEmail' };

/** Whether something of the step would be open, had the password not just been replaced by the same channel. */
function withheldHere(flow: Flow, state: LoginState, { methods, withheld = null }: Surroundings) {
  const options = flow.steps.find(({ id }) => id === state.step)?.options ?? [];
  return options.some(({ method }) => isWithheld(method, { methods, withheld })) ? withheld : null;
}

const noWayScreen = (withheld: 'sms' | 'email' | null, { app }: Surroundings, notYou: Action[]): Content => ({
  name: 'no-way-on',
  heading: text('flows.noWayHeading'),
  sentence: text(withheld ? noWays[withheld] : 'flows.noWay', { app: app.name }),
  asks: true,
  fields: [],
  actions: [backTo('cancel', app), ...notYou],
  notices: [],
});

const continueScreen = ({ name }: Surroundings, ways: Action[]): Content => ({
  name: 'continue',
  heading: text('flows.continueHeading'),
  ...(name === null ? {} : { sentence: text('flows.continueSentence', { name }) }),
  fields: [],
  actions: [
    { name: 'continue', label: text('flows.continue'), style: 'primary', skipsValidation: true },
    ...ways,
  ],
  notices: [],
});

const endings: Record<string, string> = { disabled: 'flows.disabled', 'signed-out': 'flows.signedOut' };

const endedScreen = (reason: string, { app }: Surroundings): Content => ({
  name: 'ended',
  heading: text('flows.endedHeading'),
  sentence: text(endings[reason] ?? 'flows.ended', { app: app.name }),
  asks: reason !== 'signed-out',
  fields: [],
  actions: [backTo('leave', app)],
  notices: [],
});

/** A fault stands at its field where that is on the page, else above all. */
function withProblem(content: Content, problem: Surroundings['problem']): Content {
  if (!problem) return content;
  const at = content.fields.findIndex(({ name }) => name === problem.field);
  if (at < 0) {
    return { ...content, notices: [{ tone: 'error', text: problem.text }, ...content.notices] };
  }
  const fields = content.fields.map((field, index): Field => {
    const { focus: _, ...rest } = field;
    return index === at ? { ...rest, focus: true, error: problem.text } : rest;
  });
  return { ...content, fields };
}

const backTo = (name: 'cancel' | 'leave', app: Pick<App, 'name'>): Action => ({
  ...{ name, label: text('flows.back', { app: app.name }), style: 'primary', skipsValidation: true },
});

const quiet = (name: string, label: string): Action => ({
  ...{ name, label: text(label), style: 'link', skipsValidation: true },
});

const choice = (id: string, style: 'choice' | 'link', methods: Methods): Action => ({
  ...{
    name: `choose:${id}`,
    label: methods.get(id)?.label ?? text('flows.otherWays'),
    style,
    skipsValidation: true,
  },
});
