import { type Kysely, sql } from 'kysely';

/** Browsers that may go without a step, and what users have besides a name. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table remembered_devices (
    id text primary key,
    user_id text not null references users on delete cascade,
    generation integer not null default 1,
    rotated_at timestamptz not null,
    passes jsonb not null,
    ip text,
    user_agent text,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_reason text
  )`,
  `create index remembered_devices_user on remembered_devices (user_id)`,
  `create index remembered_devices_expires_at on remembered_devices (expires_at)`,
  `create table user_attributes (
    name text primary key,
    document jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
];
