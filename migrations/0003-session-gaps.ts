import { type Kysely, sql } from 'kysely';

/** How long nobody used a session at a stretch: apps may have shorter limits than the session itself. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions add column longest_gap_seconds integer not null default 0`.execute(db);
}
