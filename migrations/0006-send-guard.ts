import { type Kysely, sql } from 'kysely';

const statements = [
  `alter table send_histories add column marks jsonb not null default '{}'`,
  `alter table send_histories add column blocked_until timestamptz`,
  `alter table send_histories add column blocks integer not null default 0`,
  `create table send_decisions (
    id text primary key,
    at timestamptz not null,
    rule text,
    mode text,
    action text not null,
    figures jsonb not null,
    channel text,
    country text,
    prefix text,
    number_hash text,
    app_id text,
    user_id text,
    login_id text,
    expires_at timestamptz not null
  )`,
  `create index send_decisions_at on send_decisions (at)`,
  `create index send_decisions_expires_at on send_decisions (expires_at)`,
];

/** Counters of destinations, countries and budgets beside the histories; what was decided about each message. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
