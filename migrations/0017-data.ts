import { type Kysely, sql } from 'kysely';

const statements = [
  `alter table users
    add column recovered_at timestamptz,
    add column recovered_by text,
    add column delete_at timestamptz`,
  `create index users_delete_at on users (delete_at) where delete_at is not null`,
  `create table recovery_links (
    token_hash text primary key,
    user_id text not null references users on delete cascade,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
  )`,
  `create index recovery_links_user on recovery_links (user_id)`,
  `create index recovery_links_expires_at on recovery_links (expires_at)`,
];

/** When and how forgotten passwords were replaced, links that replace them, and accounts that are to go. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
