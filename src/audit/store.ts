import { sql } from 'kysely';
import { newId, type RandomSource } from '../lib/ids.ts';
import { drawn, json, type Rider, type Slots } from '../storage/index.ts';
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

const columns = {
  id: 'text',
  at: 'timestamptz',
  name: 'text',
  actor: 'text',
  subject: 'text',
  app_id: 'text',
  login_id: 'text',
  session_id: 'text',
  ip: 'text',
  user_agent: 'text',
  result: 'text',
  reason: 'text',
  data: 'jsonb',
} satisfies Record<keyof AuditEventsTable, string>;

const names = Object.keys(columns) as (keyof AuditEventsTable)[];

/** One value for all events and their members: a login writes a dozen of them. */
const inserting = drawn((db, slots: Slots<{ events: AuditEventsTable[] }>) =>
  db
    .insertInto('audit_events')
    .columns(names)
    .expression(
      db
        .selectFrom(
          sql<AuditEventsTable>`jsonb_to_recordset(${json(slots.events)})`.as<'event'>(
            sql.raw(`event(${names.map((name) => `${name} ${columns[name]}`).join(', ')})`),
          ),
        )
        .select(names.map((name) => `event.${name}` as const)),
    ),
);

/** Half a character, as of words that were cut, is none in JSON: it becomes what it becomes in any other text. */
const whole = (words: string | null | undefined): string | null => words?.toWellFormed() ?? null;

/** One statement for all events. */
export const insertEvents = (at: Date, events: AuditEvent[], random: RandomSource): Rider =>
  inserting({
    events: events.map((event) => ({
      id: newId('evt', random),
      at,
      name: event.name,
      actor: whole(event.actor),
      subject: whole(event.subject),
      app_id: event.appId ?? null,
      login_id: event.loginId ?? null,
      session_id: event.sessionId ?? null,
      ip: event.ip ?? null,
      user_agent: whole(event.userAgent?.slice(0, USER_AGENT_LENGTH)),
      result: event.result ?? null,
      reason: whole(event.reason),
      data: event.data ?? null,
    })),
  });

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
