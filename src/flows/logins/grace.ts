import type { Rider } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { LoginState } from '../engine/state.ts';
import type { Flow } from '../types.ts';
import { askingSince, readAsked } from './store.ts';

/** When the user was first asked to set something up, by step. No query where no step of the flow has a grace period. */
export async function firstAsked(db: Db, flow: Flow, user: User | null): Promise<Record<string, number>> {
  if (!user || flow.steps.every(({ graceMs }) => graceMs === null)) return {};
  return Object.fromEntries(
    (await readAsked(db, user.id, flow.id)).map(({ step, asked_at }) => [step, asked_at.getTime()]),
  );
}

/** The time begins with the page that asks first, whatever becomes of it. Goes with the move that leads there. */
export function askingFirst(
  db: Db,
  flow: Flow,
  { graceUntil, step, subject }: LoginState,
  now: Date,
): Rider[] {
  if (graceUntil == null || step === null || !subject?.userId) return [];
  return [askingSince(db, { userId: subject.userId, flowId: flow.id, step }, now)];
}
