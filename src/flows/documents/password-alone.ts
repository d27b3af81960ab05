import { createValidator } from '../../config/index.ts';
import type { Candidate, Loaded } from '../../config/types.ts';
import type { User } from '../../users/types.ts';
import { firstState, type Passed } from '../engine/state.ts';
import { survey } from '../engine/survey.ts';
import { methods } from '../methods/index.ts';
import { password } from '../methods/password.ts';
import type { Flow, Step } from '../types.ts';
import { type FlowDocument, flowSchema, readFlow } from './schema.ts';

const validate = createValidator(flowSchema(methods));

/**
 * Ids of the flows that some app uses and that the user could finish by the password alone: nothing else is asked, or
 * what else is asked is skipped for this user. Backup codes do not count: they are none for long.
 */
export function passwordAlone(candidate: Candidate, user: User): string[] {
  const used = new Set([...candidate.collection('apps').values()].map(({ resolved }) => resolved.flow));
  return [...candidate.collection('flows')]
    .filter(([id]) => used.has(id))
    .flatMap(([, loaded]) => readValid(loaded) ?? [])
    .filter((flow) => isEnough(flow, user))
    .map(({ id }) => id);
}

/** Nothing for a document with faults, which are told at its own place. */
function readValid({ resolved, raw }: Loaded): Flow | null {
  const { value, faults } = validate(resolved, raw);
  return faults.length > 0 ? null : readFlow(value as FlowDocument, '');
}

/**
 * Asks the engine what is left once every step that takes a name or the password was passed by it. What is asked only
 * under a condition is not asked each time.
 */
export function isEnough(whole: Flow, user: User): boolean {
  const flow = { ...whole, steps: whole.steps.filter(({ when }) => when === null) };
  const passed = flow.steps.flatMap((step) => passedBy(step) ?? []);
  if (!passed.some(({ method }) => method === password.id)) return false;
  const blank = firstState({
    ...{ subject: { userId: user.id, name: null }, counts: false },
    ...{ maxAgeMs: null, acr: [], hint: null },
  });
  const facts = { now: 0, methods, person: { user, own: {} }, session: null };
  return survey(flow, { ...blank, passed }, facts).at === null;
}

function passedBy(step: Step): Passed | null {
  const method = step.options
    .map((option) => methods.get(option.method))
    .find((method) => method?.kind === 'identify' || method?.id === password.id);
  if (!method) return null;
  const { id, kind, amr } = method;
  return { step: step.id, via: 'login', method: id, kind, amr: [...amr], at: 0 };
}
