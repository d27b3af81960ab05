import type { Verdict } from '../conditions/condition.ts';
import type { ConditionFacts } from '../conditions/facts.ts';
import type { Flow, Step } from '../types.ts';
import { wantsTwo } from './describe.ts';
import { graceOf, offersOf } from './offers.ts';
import type { Facts, LoginState, Offer, Passed, Person, Skipped } from './state.ts';

/** What the rules look at in a login. */
export type Standing = Pick<
  LoginState,
  'passed' | 'counts' | 'subject' | 'maxAgeMs' | 'acr' | 'postponed' | 'wantsFresh'
>;

/** What becomes of one step, and what its condition said; null: it has none, or was not asked. */
export type Ruling = { step: Step; verdict: Verdict | null } & (
  | { is: 'passed'; passed: Passed }
  | { is: 'skipped'; reason: Skipped['reason'] }
  | {
      is: 'asked';
      offered: Offer[];
      graceUntil: number | null;
      /** Whether anything had been passed before it. */
      proved: boolean;
    }
);

export interface Survey {
  /** Up to the first step that is to be asked. */
  rulings: Ruling[];
  trail: Passed[];
  skipped: Skipped[];
  proved: boolean;
  at: (Ruling & { is: 'asked' }) | null;
}

/** The steps that are done and the first that is not, for a user with what was passed and what the session has. */
export function survey(flow: Flow, state: Standing, facts: Facts): Survey {
  const rulings: Ruling[] = [];
  const person = personOf(state, facts);
  let proved = false;
  for (const step of flow.steps) {
    const ruling = rule(step, state, { ...facts, person }, proved);
    rulings.push(ruling);
    if (ruling.is === 'asked') break;
    proved ||= ruling.is === 'passed' && ruling.passed.kind !== 'identify';
  }
  const last = rulings.at(-1);
  return {
    rulings,
    trail: rulings.flatMap((ruling) => (ruling.is === 'passed' ? ruling.passed : [])),
    skipped: rulings.flatMap(({ step, ...ruling }) =>
      ruling.is === 'skipped' ? { step: step.id, reason: ruling.reason } : [],
    ),
    proved,
    at: last?.is === 'asked' ? last : null,
  };
}

/**
 * The rule for one step. Nothing excuses anybody before a factor was passed: until then each step applies to everyone
 * alike, so that neither an address nor a device tells anything, and no one goes on who has shown nothing.
 */
function rule(step: Step, state: Standing, facts: Facts, proved: boolean): Ruling {
  const passed = state.passed.find((one) => one.step === step.id) ?? counted(step, state, facts);
  if (passed) return { step, verdict: null, is: 'passed', passed };
  const { person } = facts;
  const known = proved && person !== null;
  const verdict = known && step.when ? step.when.evaluate(conditionFacts(step, state, facts, person)) : null;
  if (verdict?.is === false) return { step, verdict, is: 'skipped', reason: 'condition' };
  if (known && isRemembered(step, state, facts)) {
    return { step, verdict, is: 'skipped', reason: 'remembered' };
  }
  const insists = wantsTwo(state.acr);
  const offers = offersOf(step, facts, proved, insists);
  if (offers.is === 'skip') return { step, verdict, is: 'skipped', reason: offers.reason };
  const { offered } = offers;
  const graceUntil = proved ? graceOf(step, offered, facts, insists) : null;
  if (graceUntil !== null && state.postponed?.includes(step.id)) {
    return { step, verdict, is: 'skipped', reason: 'grace' };
  }
  return { step, verdict, is: 'asked', offered, graceUntil, proved };
}

/** The session's factor that satisfies a step: among this step's options, really performed, young enough. */
function counted(step: Step, state: Standing, { session, now, methods, person }: Facts): Passed | null {
  if (person?.user.disabled || !state.counts || !session || session.userId !== state.subject?.userId)
    return null;
  const identify = step.options.find(({ method }) => methods.get(method)?.kind === 'identify');
  const identified = session.factors[0];
  if (identify && identified) {
    return {
      step: step.id,
      via: 'session',
      method: identify.method,
      kind: 'identify',
      amr: [],
      at: identified.at,
    };
  }
  const maxAge = Math.min(
    step.maxAgeMs ?? Number.POSITIVE_INFINITY,
    state.maxAgeMs ?? Number.POSITIVE_INFINITY,
  );
  const factor = session.factors.find(
    (has) => now - has.at <= maxAge && step.options.some(({ method }) => method === has.method),
  );
  return factor ? { ...factor, step: step.id, via: 'session' } : null;
}

/**
 * When this step was really passed in this browser, for this app and flow, by something that is still among its options.
 * An application that asks for two factors, or for a fresh sign-in, does not mean what happened weeks ago.
 */
function passedHere(step: Step, state: Standing, { device }: Facts) {
  if (wantsTwo(state.acr) || state.wantsFresh) return undefined;
  return device?.passes.find(
    (pass) => pass.step === step.id && step.options.some(({ method }) => method === pass.method),
  );
}

function isRemembered(step: Step, state: Standing, facts: Facts): boolean {
  const since = passedHere(step, state, facts)?.rememberedAt ?? null;
  return step.rememberMs !== null && since !== null && facts.now - since < step.rememberMs;
}

function conditionFacts(step: Step, state: Standing, facts: Facts, { user }: Person): ConditionFacts {
  const { app, device, now, request, session } = facts;
  const factors = state.counts && session?.userId === user.id ? session.factors : [];
  const last = Math.max(...factors.map(({ at }) => at));
  return {
    user: { groups: user.groups, attributes: user.attributes, created: user.createdAt },
    app: app && { id: app.id, firstParty: app.firstParty },
    request,
    device: device === undefined ? undefined : { known: passedHere(step, state, facts) !== undefined },
    session: {
      active: factors.length > 0,
      methods: factors.map(({ method }) => method),
      ageMs: factors.length > 0 ? Math.max(0, now - last) : null,
    },
    acr: state.acr,
    now: new Date(now),
  };
}

export const personOf = (state: Pick<LoginState, 'subject'>, facts: Facts): Person | null =>
  facts.person && facts.person.user.id === state.subject?.userId ? facts.person : null;
