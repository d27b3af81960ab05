import type { Candidate, Loaded } from '../../config/types.ts';
import type { Fault } from '../../lib/problem.ts';
import { methods } from '../methods/index.ts';
import { type FlowDocument, readOption, type StepDocument } from './schema.ts';
import { validDocument } from './valid.ts';

/** Where somebody who has shown nothing but the password may set up a factor. */
interface Enrolment {
  /** `“shop” (steps[1])`, as a person finds it. */
  place: string;
  methods: string[];
}

/**
 * Numbers and authenticator apps belong to accounts, not to flows. A step that lets nobody set up its factor here is
 * passed all the same by what the password alone has set up elsewhere: a stolen password is then enough for both.
 */
export function borrowedFactors(item: Loaded, candidate: Candidate): Fault[] {
  const flow = item.resolved as unknown as FlowDocument;
  const used = flowsInUse(candidate);
  if (!used.has(flow.id)) return [];
  const others = [...candidate.collection('flows')]
    .filter(([id]) => id !== flow.id && used.has(id))
    .flatMap(([, loaded]) => validDocument(loaded) ?? [])
    .flatMap(enrolmentsIn);
  const found = [...others, ...enrolmentsAtAccount(candidate)];
  return flow.steps.flatMap((step, index) =>
    index > firstFactorOf(flow) && isStrict(step)
      ? found.flatMap((enrolment) => adviceOn(step, index, enrolment))
      : [],
  );
}

function adviceOn(step: StepDocument, index: number, { methods: set, place }: Enrolment): Fault[] {
  const shared = idsOf(step).filter((id) => set.includes(id));
  if (shared.length === 0) return [];
  const names = shared.map((id) => `“${id}”`).join(', ');
  const message = `lets nobody set up ${names} with the password alone, but ${place} does, and it passes here as well: what people set up belongs to their account`;
  return [{ path: `steps[${index}]`, message }];
}

function flowsInUse(candidate: Candidate): Set<unknown> {
  const apps = [...candidate.collection('apps').values()].map(({ resolved }) => resolved.flow);
  return new Set([...apps, accountOf(candidate).flow].filter(Boolean));
}

const accountOf = (candidate: Candidate): { enabled?: boolean; flow?: string; enrolBy?: string } =>
  candidate.setting('account') ?? {};

/** /account adds a first factor of any kind. */
function enrolmentsAtAccount(candidate: Candidate): Enrolment[] {
  const { enabled, enrolBy } = accountOf(candidate);
  if (!enabled || enrolBy !== 'password') return [];
  const all = [...methods.values()].filter(({ enrols }) => enrols).map(({ id }) => id);
  return [{ place: 'gateway.yaml (account.enrolBy: password)', methods: all }];
}

function enrolmentsIn(flow: FlowDocument): Enrolment[] {
  const first = firstFactorOf(flow);
  if (!flow.steps[first] || !idsOf(flow.steps[first]).some((id) => methods.get(id)?.kind === 'knowledge'))
    return [];
  return flow.steps.flatMap((step, index) => {
    const guarded = flow.steps.slice(first + 1, index).some(isAlwaysAsked);
    if (index <= first || guarded || step.onUnavailable !== 'enrol') return [];
    const set = idsOf(step).filter((id) => methods.get(id)?.enrols);
    return [{ place: `“${flow.id}” (steps[${index}])`, methods: set }];
  });
}

const idsOf = ({ options }: StepDocument): string[] => options.map((option) => readOption(option).method);

const firstFactorOf = ({ steps }: FlowDocument): number =>
  steps.findIndex((step) => idsOf(step).some((id) => methods.get(id)?.kind !== 'identify'));

const isStrict = ({ onUnavailable = 'fail' }: StepDocument): boolean => onUnavailable === 'fail';

/** Nobody gets past it with the password alone. */
const isAlwaysAsked = (step: StepDocument): boolean =>
  isStrict(step) && step.when === undefined && !step.userMayDisable && step.remember === undefined;
