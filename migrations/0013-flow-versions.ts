import { type Kysely, sql } from 'kysely';

/** Drafts, who published what when and instead of what, and versions that only a share of the browsers gets. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table flows
    add column canary_version_id text,
    add column canary_share integer`,
  // A flow begins as a draft.
  `alter table flows alter column published_version_id drop not null`,
  `alter table flow_versions
    add column note text,
    add column created_by text,
    add column published_at timestamptz,
    add column published_by text,
    add column replaced integer,
    add column archived_at timestamptz`,
  `update flow_versions set published_at = created_at`,
];
