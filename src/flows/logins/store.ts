import type { Rider } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';

declare module '../../storage/types.ts' {
  interface Database {
    enrolment_requests: EnrolmentRequestsTable;
  }
}

/** Since when a user is asked to set something up, where a flow gives time for it. */
interface EnrolmentRequestsTable {
  user_id: string;
  flow_id: string;
  step: string;
  asked_at: Date;
}

/** Writes the first time down; later ones change nothing. */
export const askingSince = (
  db: Db,
  { flowId, step, userId }: { userId: string; flowId: string; step: string },
  now: Date,
): Rider =>
  db
    .insertInto('enrolment_requests')
    .values({ user_id: userId, flow_id: flowId, step, asked_at: now })
    .onConflict((conflict) => conflict.doNothing());

export const readAsked = (
  db: Db,
  userId: string,
  flowId: string,
): Promise<Pick<EnrolmentRequestsTable, 'step' | 'asked_at'>[]> =>
  db
    .selectFrom('enrolment_requests')
    .select(['step', 'asked_at'])
    .where('user_id', '=', userId)
    .where('flow_id', '=', flowId)
    .execute();
