import type { Candidate } from '../../config/types.ts';
import type { User } from '../../users/types.ts';
import { type Facts, firstState, type Passed, type Person } from '../engine/state.ts';
import { survey } from '../engine/survey.ts';
import { methods } from '../methods/index.ts';
import { password } from '../methods/password.ts';
import type { Flow, Step } from '../types.ts';
import { readFlow } from './schema.ts';
import { validDocument } from './valid.ts';

/**
 * Ids of the flows that some app uses and that the user could finish by the password alone: nothing else is asked, or
 * what else is asked is skipped for this user. Backup codes do not count: they are none for long.
 */
export function passwordAlone(candidate: Candidate, user: User): string[] {
  const used = new Set([...candidate.collection('apps').values()].map(({ resolved }) => resolved.flow));
  return [...candidate.collection('flows')]
    .filter(([id]) => used.has(id))
    .flatMap(([, loaded]) => validDocument(loaded) ?? [])
    .map((document) => readFlow(document, ''))
    .filter((flow) => isEnough(flow, { user, own: {} }, { now: 0 }))
    .map(({ id }) => id);
}

/**
 * Asks the engine what is left once every step that takes a name or the password was passed by it. What is asked only
 * under a condition is not asked each time, and what may be set up later is put off. `person`: without
 * backup codes, which will be used up.
 */
export function isEnough(
  whole: Flow,
  person: Person,
  { asked = {}, now }: Pick<Facts, 'asked' | 'now'>,
): boolean {
  const flow = { ...whole, steps: whole.steps.filter(({ when }) => when === null) };
  const passed = flow.steps.flatMap((step) => passedBy(step) ?? []);
  if (!passed.some(({ method }) => method === password.id)) return false;
  const blank = firstState({
    ...{ subject: { userId: person.user.id, name: null }, counts: false },
    ...{ maxAgeMs: null, acr: [], hint: null },
  });
  const state = { ...blank, passed, postponed: flow.steps.map(({ id }) => id) };
  return survey(flow, state, { asked, methods, now, person, session: null }).at === null;
}

function passedBy(step: Step): Passed | null {
  const method = step.options
    .map((option) => methods.get(option.method))
    .find((method) => method?.kind === 'identify' || method?.id === password.id);
  if (!method) return null;
  const { id, kind, amr } = method;
  return { step: step.id, via: 'login', method: id, kind, amr: [...amr], at: 0 };
}
