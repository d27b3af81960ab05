import type { Flow, Step } from '../types.ts';
import { describe } from './describe.ts';
import type { Facts, LoginState, Offer, Passed, Skipped } from './state.ts';
import { type Ruling, type Survey, survey } from './survey.ts';

/** Why a step is what it is. */
export type Rule =
  /** Nobody has shown anything yet: it is asked of everyone. */
  | 'first-factor'
  /** It has no condition. */
  | 'always'
  | 'condition-holds'
  /** What the condition asks about is not known, or it fails. */
  | 'condition-unknown'
  | 'session'
  | Skipped['reason'];

export interface SimulatedStep {
  step: string;
  is: 'asked' | 'satisfied' | 'skipped';
  rule: Rule;
  /** What the step's condition says; null: it has none, or it was not looked at. */
  condition: { source: string; value: boolean | null; why: string | null } | null;
  /** What the user may choose from, where it is asked; `enrol`: after setting it up. */
  options: Offer[];
  /** By what it was passed here, or in the session. */
  method: string | null;
}

export interface Simulated {
  /** In the order of the flow, up to where it ends. */
  steps: SimulatedStep[];
  /** `stuck`: nothing is open to the user at the last step; `refused`: see `reason`. */
  end: 'finished' | 'stuck' | 'refused';
  reason: 'disabled' | 'user-gone' | 'no-factor' | null;
  /** What the application would be told. */
  acr: string | null;
  amr: string[];
}

/** Which of the ways at hand the user takes. */
export type Choice = (step: Step, offered: readonly Offer[]) => Offer | undefined;

/**
 * What would be asked of the facts' person, who passes whatever is asked. The rules are the engine's own: this only goes
 * through them as a login would. Pure: nothing is read, written or sent.
 */
export function simulate(
  flow: Flow,
  state: LoginState,
  facts: Facts,
  choose: Choice = mainChoice(facts),
): Simulated {
  const asked = new Map<string, Ruling & { is: 'asked' }>();
  let at: LoginState = state;
  for (;;) {
    const surveyed = survey(flow, at, facts);
    const ended = (end: Simulated['end'], reason: Simulated['reason']): Simulated => ({
      // Who is refused is not asked for what would have come next.
      steps: stepsOf(surveyed, asked).filter((one) => end !== 'refused' || one.is !== 'asked' || one.method),
      ...{ end, reason },
      ...(end === 'finished' ? toldOf(surveyed) : { acr: null, amr: [] }),
    });
    const subject = facts.person && at.subject?.userId === facts.person.user.id ? facts.person : null;
    if (surveyed.proved && !subject) return ended('refused', 'user-gone');
    if (surveyed.proved && subject?.user.disabled) return ended('refused', 'disabled');
    const due = surveyed.at;
    if (!due) return surveyed.proved ? ended('finished', null) : ended('refused', 'no-factor');
    const offer = choose(due.step, due.offered);
    const method = offer && facts.methods.get(offer.method);
    if (!method) return ended('stuck', null);
    asked.set(due.step.id, due);
    const { amr, id, identifies, kind } = method;
    const passed: Passed = {
      step: due.step.id,
      via: 'login',
      method: id,
      kind,
      amr: [...amr],
      at: facts.now,
    };
    const user = identifies ? facts.person?.user : undefined;
    at = {
      ...at,
      subject: user ? { userId: user.id, name: null } : at.subject,
      passed: [...at.passed, passed],
    };
  }
}

const mainChoice =
  ({ methods }: Facts): Choice =>
  (_step, offered) =>
    offered.find(({ method }) => methods.get(method)?.kind !== 'recovery') ?? offered[0];

function stepsOf({ rulings }: Survey, asked: Map<string, Ruling & { is: 'asked' }>): SimulatedStep[] {
  return rulings.map((ruling): SimulatedStep => {
    const before = asked.get(ruling.step.id) ?? (ruling.is === 'asked' ? ruling : undefined);
    const { step, verdict } = before ?? ruling;
    const condition = verdict && step.when && { source: step.when.source, ...saidBy(verdict) };
    const common = { step: step.id, condition };
    const method = ruling.is === 'passed' ? ruling.passed.method : null;
    if (before) return { ...common, is: 'asked', rule: ruleOf(before), options: before.offered, method };
    return ruling.is === 'skipped'
      ? { ...common, is: 'skipped', rule: ruling.reason, options: [], method }
      : { ...common, is: 'satisfied', rule: 'session', options: [], method };
  });
}

const saidBy = (verdict: NonNullable<Ruling['verdict']>) => ({
  value: verdict.is,
  why: verdict.is === null ? verdict.why : null,
});

function ruleOf({ proved, verdict }: Ruling & { is: 'asked' }): Rule {
  if (!proved) return 'first-factor';
  if (!verdict) return 'always';
  return verdict.is === null ? 'condition-unknown' : 'condition-holds';
}

const toldOf = ({ trail }: Survey) => describe(trail.filter(({ kind }) => kind !== 'identify'));
