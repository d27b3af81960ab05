import { type Kysely, sql } from 'kysely';

/** Which provider is asked, which are left alone for a while, what gateways report, and what follows when they do not. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table channels (
    id text primary key,
    document jsonb not null,
    updated_at timestamptz not null
  )`,
  `create table provider_breakers (
    provider_id text primary key,
    window_start timestamptz not null,
    failures integer not null,
    accepted integer not null,
    openings integer not null default 0,
    open_until timestamptz,
    probe_until timestamptz,
    reason text
  )`,
  `alter table messages
    add column receipt text,
    add column receipt_at timestamptz,
    add column failure text,
    add column verified_at timestamptz`,
  `create index messages_gateway on messages (provider_id, gateway_id) where gateway_id is not null`,
  `create index messages_verified on messages (to_hash) where verified_at is not null`,
  `create table stopped_numbers (
    id text primary key,
    to_hash text not null unique,
    to_last2 text not null,
    to_country text,
    provider_id text not null,
    stopped_at timestamptz not null
  )`,
  `create table message_timers (
    message_id text primary key,
    sealed text not null,
    next_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  `create index message_timers_next_at on message_timers (next_at)`,
  `create index message_timers_expires_at on message_timers (expires_at)`,
];
