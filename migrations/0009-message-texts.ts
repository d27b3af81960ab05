import { type Kysely, sql } from 'kysely';

/** What messages say, by app, language, channel and purpose. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table message_texts (
        id text primary key,
        document jsonb not null,
        updated_at timestamptz not null
      )`,
    )
    .execute(db);
}
