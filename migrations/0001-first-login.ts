import { type Kysely, sql } from 'kysely';

/**
 * The tables of the first login. Hashes and sealed values are text (base64url), because the two drivers disagree
 * about `bytea` and `bigint`. Whatever expires has `expires_at` with an index, for the sweeper.
 */
const statements = [
  // storage
  `create table revisions (
    topic text primary key,
    n integer not null
  )`,
  `create table counters (
    key text primary key,
    newest bigint not null,
    counts integer[] not null,
    expires_at timestamptz not null
  )`,
  `create index counters_expires_at on counters (expires_at)`,
  // config
  `create table settings (
    section text primary key,
    document jsonb not null,
    updated_at timestamptz not null
  )`,
  // audit
  `create table audit_events (
    id text primary key,
    at timestamptz not null,
    name text not null,
    actor text,
    subject text,
    app_id text,
    login_id text,
    session_id text,
    ip text,
    user_agent text,
    result text,
    reason text,
    data jsonb
  )`,
  `create index audit_events_at on audit_events (at)`,
  `create index audit_events_subject on audit_events (subject, at)`,
  // crypto
  `create table signing_keys (
    kid text primary key,
    alg text not null,
    generation integer not null,
    public_jwk jsonb not null,
    private_sealed text not null,
    created_at timestamptz not null,
    signs_from timestamptz not null,
    retired_at timestamptz,
    unique (alg, generation)
  )`,
  // users
  `create table users (
    id text primary key,
    username text not null,
    username_key text not null unique,
    name text,
    email text,
    email_key text,
    email_verified boolean not null default false,
    phone text,
    phone_verified boolean not null default false,
    password_hash text,
    password_changed_at timestamptz,
    code_off boolean not null default false,
    code_off_until timestamptz,
    disabled_at timestamptz,
    groups jsonb not null default '[]',
    attributes jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create unique index users_email_verified on users (email_key) where email_verified`,
  `create unique index users_phone_verified on users (phone) where phone_verified`,
  `create table backup_codes (
    id text primary key,
    user_id text not null references users on delete cascade,
    code_hash text not null,
    short boolean not null,
    created_at timestamptz not null,
    used_at timestamptz,
    unique (user_id, code_hash)
  )`,
  // apps
  `create table apps (
    id text primary key,
    document jsonb not null,
    secrets jsonb not null default '[]',
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  // guard
  `create table factor_locks (
    subject_key text not null,
    factor text not null,
    failures integer not null,
    consecutive integer not null,
    level integer not null,
    locked_until timestamptz,
    last_failed_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (subject_key, factor)
  )`,
  `create index factor_locks_expires_at on factor_locks (expires_at)`,
  `create table send_histories (
    key text primary key,
    times jsonb not null,
    expires_at timestamptz not null
  )`,
  `create index send_histories_expires_at on send_histories (expires_at)`,
  // delivery
  `create table providers (
    id text primary key,
    channel text not null,
    preset text not null,
    position integer not null,
    enabled boolean not null,
    document_sealed text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create table messages (
    id text primary key,
    channel text not null,
    purpose text not null,
    reference text,
    provider_id text,
    user_id text,
    login_id text,
    app_id text,
    to_sealed text,
    to_hash text not null,
    to_last2 text not null,
    to_country text,
    text_sealed text,
    locale text not null,
    status text not null,
    reason text,
    gateway_id text,
    created_at timestamptz not null,
    fresh_until timestamptz not null,
    sending_at timestamptz,
    final_at timestamptz,
    expires_at timestamptz not null
  )`,
  `create index messages_pending on messages (created_at) where status in ('queued', 'sending')`,
  `create index messages_expires_at on messages (expires_at)`,
  `create index messages_reference on messages (reference)`,
  `create index messages_unknown on messages (to_hash, created_at) where status = 'unknown'`,
  `create table simulator_messages (
    id text primary key,
    message_id text not null,
    channel text not null,
    to_hash text not null,
    sealed text not null,
    at timestamptz not null,
    expires_at timestamptz not null
  )`,
  `create index simulator_messages_at on simulator_messages (at)`,
  // otp
  `create table otp_challenges (
    id text primary key,
    scope text not null unique,
    user_id text,
    tries integer not null,
    sends integer not null,
    last_sent_at timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  `create index otp_challenges_expires_at on otp_challenges (expires_at)`,
  `create table otp_codes (
    id text primary key,
    challenge_id text not null references otp_challenges on delete cascade,
    number integer not null,
    tries_before integer not null,
    code_hash text not null,
    delivery text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    killed_at timestamptz,
    consumed_at timestamptz
  )`,
  `create index otp_codes_challenge on otp_codes (challenge_id)`,
  // sessions
  `create table sessions (
    id text primary key,
    cookie_hash text unique,
    user_id text not null,
    factors jsonb not null,
    oidc jsonb,
    auth_time timestamptz not null,
    ip text,
    user_agent text,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    idle_expires_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_reason text
  )`,
  `create index sessions_user on sessions (user_id)`,
  `create index sessions_expires_at on sessions (expires_at)`,
  // flows
  `create table flows (
    id text primary key,
    name text not null,
    published_version_id text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create table flow_versions (
    id text primary key,
    flow_id text not null references flows on delete cascade,
    version integer not null,
    status text not null,
    document jsonb not null,
    created_at timestamptz not null,
    unique (flow_id, version)
  )`,
  `create table logins (
    id text primary key,
    app_id text not null,
    flow_version_id text not null,
    user_id text,
    session_id text,
    status text not null,
    version integer not null,
    state jsonb not null,
    binding_hash text not null,
    continuation jsonb not null,
    continuation_key text unique,
    result jsonb,
    locale text not null,
    ip text,
    user_agent text,
    created_at timestamptz not null,
    finished_at timestamptz,
    expires_at timestamptz not null
  )`,
  `create index logins_expires_at on logins (expires_at)`,
  // oidc
  `create table oidc_artifacts (
    id_hash text primary key,
    model text not null,
    grant_id text,
    session_id text,
    user_id text,
    app_id text,
    payload jsonb not null,
    consumed_at timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz
  )`,
  `create index oidc_artifacts_grant on oidc_artifacts (grant_id)`,
  `create index oidc_artifacts_session on oidc_artifacts (session_id)`,
  `create index oidc_artifacts_expires_at on oidc_artifacts (expires_at)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
