import { type Kysely, sql } from 'kysely';

const statements = [
  `create table credentials (
    id text primary key,
    user_id text not null references users on delete cascade,
    type text not null,
    label text not null,
    sealed text not null,
    data jsonb not null,
    counter bigint,
    session_id text,
    created_at timestamptz not null,
    confirmed_at timestamptz,
    last_used_at timestamptz,
    expires_at timestamptz
  )`,
  `create index credentials_user on credentials (user_id, type)`,
  `create index credentials_expires_at on credentials (expires_at) where expires_at is not null`,
  `create table enrolment_requests (
    user_id text not null references users on delete cascade,
    flow_id text not null,
    step text not null,
    asked_at timestamptz not null,
    primary key (user_id, flow_id, step)
  )`,
];

/** What users have set up to show who they are, and since when they are asked to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
