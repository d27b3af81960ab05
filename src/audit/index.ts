/**
 * audit: the record of business events, for administrators and for proof. Owns the table `audit_events` and the member
 * `audit` of gateway.yaml, which says how long events are kept.
 * It does not decide what is an event: the features do, and they keep codes, secrets and whole numbers out of it.
 * Routes: none.
 */
import type { PersonalRows } from '../storage/types.ts';

export { createAudit } from './service.ts';
export { auditSection, auditSweeps } from './settings.ts';

/** What happened stays on record; where it came from does not. */
export const auditPersonal: PersonalRows[] = [
  { table: 'audit_events', column: 'subject', emptied: ['ip', 'user_agent'] },
];
