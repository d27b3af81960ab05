import { type Kysely, sql } from 'kysely';

/** Codes that a gateway keeps instead of us, and gateways that want to hear that what a message carried was used. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table messages
    add column keeps_code boolean not null default false,
    add column wants_use boolean not null default false,
    add column use_due_at timestamptz,
    add column use_tries integer not null default 0`.execute(db);
  await sql`create index messages_use_due_at on messages (use_due_at) where use_due_at is not null`.execute(
    db,
  );
}
