import { type Kysely, sql } from 'kysely';

/** Apps that are still to be told of the end of a session: what is not told yet goes along with a copy or a move. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table logout_notices (
    id text primary key,
    app_id text not null,
    user_id text not null,
    sid text not null,
    tries integer not null default 0,
    next_at timestamptz not null
  )`.execute(db);
  await sql`create index logout_notices_next_at on logout_notices (next_at)`.execute(db);
}
