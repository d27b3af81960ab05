import { newId, type RandomSource } from '../lib/ids.ts';
import { json } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { AuditEvent, HistoryWish, PastEvent } from './types.ts';

declare module '../storage/types.ts' {
  interface Database {
    audit_events: AuditEventsTable;
  }
}

interface AuditEventsTable {
  id: string;
  at: Date;
  name: string;
  actor: string | null;
  subject: string | null;
  app_id: string | null;
  login_id: string | null;
  session_id: string | null;
  ip: string | null;
  user_agent: string | null;
  result: string | null;
  reason: string | null;
  data: Record<string, string | number | boolean | null> | null;
}

/** A browser's own words: kept for people to read, not for a stranger to fill the table with. */
const USER_AGENT_LENGTH = 300;

/** One statement for all events; not executed here. */
export function insertEvents(db: Db, at: Date, events: AuditEvent[], random: RandomSource) {
  const rows = events.map((event) => ({
    id: newId('evt', random),
    at,
    name: event.name,
    actor: event.actor ?? null,
    subject: event.subject ?? null,
    app_id: event.appId ?? null,
    login_id: event.loginId ?? null,
    session_id: event.sessionId ?? null,
    ip: event.ip ?? null,
    user_agent: event.userAgent?.slice(0, USER_AGENT_LENGTH) ?? null,
    result: event.result ?? null,
    reason: event.reason ?? null,
    data: event.data ? json(event.data) : null,
  }));
  return db.insertInto('audit_events').values(rows);
}

const between = '~';

/** By the index of subject and time. */
export async function readHistory(
  db: Db,
  subject: string,
  { before, limit, names, since }: HistoryWish,
): Promise<PastEvent[]> {
  const columns = ['id', 'at', 'name', 'app_id as appId', 'ip', 'user_agent as userAgent'] as const;
  const [moment = '', id = ''] = before?.split(between) ?? [];
  const place = Number.isNaN(Date.parse(moment)) ? null : { at: new Date(moment), id };
  const rows = await db
    .selectFrom('audit_events')
    .select([...columns, 'result', 'reason', 'data'])
    .where('subject', '=', subject)
    .where('at', '>', since)
    .$if(names !== null, (query) => query.where('name', 'in', names ?? []))
    .$if(place !== null, (query) =>
      query.where(({ and, eb, or }) =>
        or([
          eb('at', '<', place?.at ?? since),
          and([eb('at', '=', place?.at ?? since), eb('id', '<', place?.id ?? '')]),
        ]),
      ),
    )
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ data, id, ...row }) => ({
    ...row,
    ...(data && { data }),
    place: [row.at.toISOString(), id].join(between),
  }));
}
