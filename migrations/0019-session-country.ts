import { type Kysely, sql } from 'kysely';

/** Where a session began, as far as a proxy says it: ISO 3166. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions add column country text`.execute(db);
}
