import { type Kysely, sql } from 'kysely';

const statements = [
  `create table number_lookups (
    number_hash text primary key,
    line_type text,
    sim_swapped_at timestamptz,
    looked_up_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  `create index number_lookups_expires_at on number_lookups (expires_at)`,
  `alter table messages add column price_amount text, add column price_currency text`,
  `create table setting_secrets (
    section text primary key,
    sealed text not null,
    updated_at timestamptz not null
  )`,
];

/** What is known of numbers from elsewhere, what a gateway says a message has cost, and the secrets of settings, sealed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
