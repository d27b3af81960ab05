import { captchaField } from '../../guard/index.ts';
import type { Task } from '../../guard/types.ts';
import { text } from '../../lib/texts.ts';
import type { LoginState } from '../engine/state.ts';
import type { Services } from '../method.ts';
import type { Outcome, Submission } from './submit.ts';

/** The challenge that stands before the next message of the method at hand. */
export function challengeOf({ challenge, option }: LoginState): Task | null {
  return challenge && challenge.method === option ? challenge.task : null;
}

/** What is asked for again once it is passed: by the button that it was asked for with, where that names a number. */
export const proving = ({ challenge }: LoginState): string =>
  challenge?.number ? `send-${challenge.number}` : 'send';

/** Where a page or a client of the JSON API puts the solution. */
export function solutionIn(task: Task, body: Record<string, string>): string {
  const field = captchaField(task.kind);
  return (field && body[field]) || body.proof || '';
}

export function proofOf(state: LoginState, body: Record<string, string>): string {
  const task = challengeOf(state);
  return task ? solutionIn(task, body) : '';
}

/**
 * Looks at what was sent for the challenge. Passed, the message is asked for again; one that has expired makes a new one,
 * because it is asked for without having passed.
 */
export async function answerChallenge(
  { guard }: Pick<Services, 'guard'>,
  task: Task,
  { ip, proof = '' }: Pick<Submission, 'ip' | 'proof'>,
  now: Date,
): Promise<{ passed: 'proof' | 'waited' | null } | Extract<Outcome, { is: 'retry' }>> {
  if (now.getTime() > task.expiresAt) return { passed: null };
  const passed = await guard.passes(task, proof, ip, now);
  if (passed !== null) return { passed };
  const early = task.kind === 'proof-of-work' && proof === '';
  const retryAt = early ? new Date(task.waitUntil) : null;
  return { is: 'retry', text: text('flows.challengeAgain'), field: null, retryAt };
}
