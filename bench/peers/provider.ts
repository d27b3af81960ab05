/**
 * oidc-provider with a plain adapter on PostgreSQL, as its documentation sets it up: what the gateway is compared with.
 * A login asks for the same password, with the same hash, and for a code by the same gateway, and does nothing else: no
 * limits, no record, no message kept, the code in memory.
 */
import { randomInt } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { hash, verify } from '@node-rs/argon2';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { type Adapter, type AdapterPayload, type Configuration, errors } from 'oidc-provider';
import pg from 'pg';
import { Pool } from 'undici';
import { app, nameOf, password, phoneOf } from '../gateway.ts';

const [databaseUrl = '', port = '', smsUrl = '', users = ''] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: databaseUrl, max: 20 });
await pool.query(`create table if not exists artifacts (
  model text not null, id text not null, payload jsonb not null, grant_id text, uid text, user_code text,
  expires_at timestamptz, consumed_at timestamptz, primary key (model, id))`);
await pool.query('create index if not exists artifacts_grant on artifacts (grant_id)');
await pool.query('create index if not exists artifacts_uid on artifacts (uid)');
await pool.query(
  'create table if not exists users (username text primary key, phone text not null, password_hash text not null)',
);
const everyone = Array.from({ length: Number(users) }, (_, n) => n);
await pool.query(
  'insert into users select *, $3 from unnest($1::text[], $2::text[]) on conflict do nothing',
  [
    everyone.map(nameOf),
    everyone.map(phoneOf),
    await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
  ],
);

interface Row {
  payload: AdapterPayload;
  consumed_at: Date | null;
}

const payloadOf = ([row]: Row[]): AdapterPayload | undefined =>
  row && {
    ...row.payload,
    ...(row.consumed_at && { consumed: Math.floor(row.consumed_at.getTime() / 1000) }),
  };

function adapter(model: string): Adapter {
  const findBy = async (column: string, value: string) => {
    const text = `select payload, consumed_at from artifacts where model = $1 and ${column} = $2`;
    return payloadOf((await pool.query<Row>(text, [model, value])).rows);
  };
  return {
    async upsert(id, payload, expiresIn) {
      await pool.query(
        `insert into artifacts (model, id, payload, grant_id, uid, user_code, expires_at)
         values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
         on conflict (model, id) do update set payload = excluded.payload, expires_at = excluded.expires_at`,
        [model, id, payload, payload.grantId, payload.uid, payload.userCode, expiresIn],
      );
    },
    find: (id) => findBy('id', id),
    findByUid: (uid) => findBy('uid', uid),
    findByUserCode: (code) => findBy('user_code', code),
    async consume(id) {
      const text = `update artifacts set consumed_at = now() where model = $1 and id = $2 and consumed_at is null`;
      const { rowCount } = await pool.query(text, [model, id]);
      if (rowCount === 0) throw new errors.InvalidGrant('already used');
    },
    destroy: async (id) =>
      void (await pool.query('delete from artifacts where model = $1 and id = $2', [model, id])),
    revokeByGrantId: async (id) => void (await pool.query('delete from artifacts where grant_id = $1', [id])),
  };
}

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const configuration: Configuration = {
  adapter,
  clients: [
    {
      client_id: app.id,
      client_secret: app.secret,
      redirect_uris: [app.redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
  routes: {
    authorization: '/authorize',
    token: '/token',
    introspection: '/introspect',
    userinfo: '/userinfo',
  },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, name: 'Somebody', email: 'somebody@example.test', email_verified: true }),
  }),
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  rotateRefreshToken: true,
  cookies: { keys: ['a-key-for-the-bench'] },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
};

const issuer = `http://localhost:${port}`;
const provider = new Provider(issuer, configuration);
const answer = provider.callback();

const sms = new URL(smsUrl);
const gateway = new Pool(sms.origin);
/** What was sent for each interaction, and to whom. */
const sent = new Map<string, { code: string; username: string }>();

const page = (response: ServerResponse, fields: string) =>
  response
    .writeHead(200, { 'content-type': 'text/html' })
    .end(`<!doctype html><title>Sign in</title><form method="post">${fields}<button>Go on</button></form>`);

async function takePassword(uid: string, form: URLSearchParams): Promise<boolean> {
  const username = form.get('username') ?? '';
  const text = 'select phone, password_hash from users where username = $1';
  const { rows } = await pool.query<{ phone: string; password_hash: string }>(text, [username]);
  const [user] = rows;
  if (!user || !(await verify(user.password_hash, form.get('password') ?? ''))) return false;
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  sent.set(uid, { code, username });
  const message = JSON.stringify({ to: user.phone, text: `${code} is your code.\n\n@localhost #${code}` });
  const { body } = await gateway.request({ method: 'POST', path: sms.pathname, body: message });
  await body.dump();
  return true;
}

/** The login prompt: a password, then a code. */
async function askForLogin(request: IncomingMessage, response: ServerResponse, uid: string) {
  const waiting = sent.get(uid);
  if (request.method !== 'POST')
    return page(response, waiting ? '<input name="code">' : '<input name="username"><input name="password">');
  const form = new URLSearchParams(await readText(request));
  if (waiting && form.get('code') === waiting.code) {
    sent.delete(uid);
    return provider.interactionFinished(request, response, { login: { accountId: waiting.username } });
  }
  if (waiting || !(await takePassword(uid, form))) return response.writeHead(403).end();
  return response.writeHead(303, { location: request.url }).end();
}

/** Consent is given at once. */
const server = createServer(async (request, response) => {
  if (!request.url?.startsWith('/interaction/')) return answer(request, response);
  const { uid, prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') return askForLogin(request, response, uid);
  const grant = new provider.Grant({
    accountId: session?.accountId ?? '',
    clientId: String(params.client_id),
  });
  grant.addOIDCScope(String(params.scope));
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
});
server.listen(Number(port), '127.0.0.1', () => process.send?.({}));
process.on('disconnect', () => process.exit());
