import { ask } from './postgres.ts';

/**
 * Rows as years of logins leave them, half of them expired: 1 000 000 each of audit events, logins, messages, sessions
 * and tokens. Written by the database itself; `rows` is their number in all.
 */
export async function fillRows(databaseUrl: string, rows: number): Promise<void> {
  const each = Math.floor(rows / 5);
  // Half of the moments lie before now, half behind.
  const ends = `now() + (n - ${each / 2}) * interval '1 second'`;
  const series = `generate_series(1, ${each}) n`;
  const user = `'usr_' || left(md5((n % 1000)::text), 22)`;
  const statements = [
    `insert into audit_events (id, at, name, subject, login_id, result)
     select 'evt_' || md5(n::text), now() - n * interval '1 second', 'login.finished', ${user}, 'lgn_' || md5(n::text), 'ok'
     from ${series}`,
    `insert into logins (id, app_id, flow_version_id, user_id, status, version, state, binding_hash, continuation,
       continuation_key, locale, created_at, expires_at)
     select 'lgn_' || md5(n::text), 'bench', 'none', ${user}, 'consumed', 3, '{}', md5(n::text), '{"kind":"oidc"}',
       md5('k' || n), 'en', now(), ${ends} from ${series}`,
    `insert into messages (id, channel, purpose, reference, user_id, login_id, to_hash, to_last2, locale, status,
       created_at, fresh_until, final_at, expires_at)
     select 'msg_' || md5(n::text), 'sms', 'login-code', 'otp_' || md5(n::text), ${user}, 'lgn_' || md5(n::text),
       md5('h' || n), '23', 'en', 'accepted', now(), now(), now(), ${ends} from ${series}`,
    `insert into sessions (id, cookie_hash, user_id, factors, auth_time, created_at, last_seen_at, idle_expires_at, expires_at)
     select 'ses_' || md5(n::text), md5('c' || n), ${user}, '[]', now(), now(), now(), ${ends}, ${ends} from ${series}`,
    `insert into oidc_artifacts (id_hash, model, grant_id, session_id, user_id, app_id, payload, created_at, expires_at)
     select md5('a' || n), 'AccessToken', md5('g' || n), 'ses_' || md5(n::text), ${user}, 'bench', '{}', now(), ${ends}
     from ${series}`,
  ];
  for (const statement of statements) await ask(databaseUrl, statement);
  await ask(databaseUrl, 'vacuum (analyze)');
}
