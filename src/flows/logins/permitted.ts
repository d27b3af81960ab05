import type { Rider } from '../../storage/index.ts';
import type { User } from '../../users/types.ts';
import type { Advance } from '../engine/state.ts';
import type { Effect } from '../method.ts';
import type { LoginRow } from '../store.ts';
import { type Dispatch, type Permit, permit, refusedSend } from './dispatch.ts';
import { subjectKeyOf } from './subject.ts';
import type { Around, LoginsDeps } from './submit.ts';

/** Asks the guard about each message before anything is written; what it refuses becomes part of the page. */
export async function permitted(
  deps: LoginsDeps,
  around: Around,
  user: User | null,
  plan: Advance,
): Promise<{ plan: Advance; sends: { effect: Effect; dispatch: Dispatch }[]; riders: Rider[] }> {
  if (plan.effects.length === 0) return { plan, sends: [], riders: [] };
  const { app, now, row, submission } = around;
  const { state } = plan;
  const subjectKey = subjectKeyOf(deps.services, { ...row, state }, user);
  const sends: { effect: Effect; dispatch: Dispatch }[] = [];
  const riders: Rider[] = [];
  let next = state;
  for (const effect of plan.effects) {
    if (state.step === null || subjectKey === null) continue;
    const dispatch: Dispatch = {
      ...{ loginId: row.id, step: state.step, app, user, subjectKey, proved: state.proved },
      ...{ locale: row.locale, ip: submission.ip, expiresAt: row.expiresAt },
      before: state.sent[effect.method] ?? null,
      deviceId: user && submission.deviceOf(user.id),
      passed: around.passed,
      country: null,
    };
    const answer: Permit = await permit(deps, effect, dispatch, now);
    if (answer.is === 'allowed') {
      const { country, silent } = answer;
      next = { ...next, challenge: null };
      sends.push({ effect: silent ? { ...effect, to: null } : effect, dispatch: { ...dispatch, country } });
    }
    for (const decided of answer.answers) {
      riders.push(...deps.services.guard.recordingSend(deps.storage.db, decided, now));
    }
    if (answer.is === 'challenged') {
      const task = deps.services.guard.newTask(answer.pressure, now);
      const { method, number } = effect;
      next = { ...next, challenge: { method, task, ...(number && { number }) } };
    }
    if (answer.is === 'locked') next = { ...next, locked: { until: answer.until } };
    if (answer.is === 'refused') {
      const refused = refusedSend(effect, dispatch, answer.reason, answer.until, now);
      next = { ...next, challenge: null, sent: { ...next.sent, [effect.method]: refused } };
    }
  }
  return { plan: { ...plan, state: next }, sends, riders };
}

/**
 * Codes that were sent in this step and that nobody will type any more: another way was taken. A statement of its own,
 * afterwards: it takes rows that a verified code takes, too, and in the same statement their order would be anybody's.
 */
export async function notNeeded(
  { services }: LoginsDeps,
  { id, state }: LoginRow,
  passed: string,
): Promise<void> {
  const sent = Object.entries(state.sent).flatMap(([method, { at, count, country }]) =>
    method === passed || !country || count === 0
      ? []
      : [{ country, count, sentAt: new Date(at), loginId: id }],
  );
  if (sent.length > 0) await services.guard.sendNotNeeded(sent);
}
