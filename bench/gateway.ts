import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { request } from 'undici';
import { freePort } from '../test/helpers/port.ts';
import { standard } from '../test/helpers/standard.ts';
import { type Child, startChild } from './child.ts';
import { ask } from './postgres.ts';

/** A gateway in a process of its own. */
export interface Gateway {
  origin: string;
  pid: number;
  /** From the start of the process until `/readyz` says so. */
  readyMs: number;
  stop(): Promise<void>;
}

export const app = {
  id: 'bench',
  secret: 'a-secret-for-the-bench-only-0123456789abcdef',
  redirectUri: 'http://localhost:4599/callback',
};
export const password = 'seven quiet lanterns';
export const nameOf = (n: number): string => `user-${String(n).padStart(7, '0')}`;
export const phoneOf = (n: number): string => `+44771${String(n).padStart(7, '0')}`;

const root = resolve(import.meta.dirname, '..');
const secretKey = Buffer.alloc(32, 7).toString('base64');

/** What is measured besides the default login. Set before a gateway starts. */
export const variant = {
  /** The second step has a condition that asks about the browser, which is looked up in the database each time. */
  conditions: false,
};

/** True of every login, but only after the browser and its address were looked at. */
const exceptions = { when: '!device.known || !request.ip.inRange("192.0.2.0/24")', remember: '30d' };
const withExceptions = (flow: object & { steps?: object[] }) => ({
  ...flow,
  steps: flow.steps?.map((step, n) => (n === 0 ? step : { ...step, ...exceptions })),
});

/** The tests' flow and provider. Everything else is as delivered, but for limits that the few users and numbers would meet. */
function documentsOf(smsUrl: string): Record<string, object> {
  const { flows, providers } = standard(smsUrl);
  return {
    gateway: {
      name: 'Bench',
      trustedProxies: ['127.0.0.1/32'],
      guard: {
        sends: {
          ...{ perNumber: ['999 in 1s'], perUser: ['999 in 1s'], perAddress: ['999 in 1s'] },
          ...{ perNetwork: ['999 in 1s'], perPrefix: ['999 in 1s'] },
        },
      },
    },
    apps: {
      apps: [
        {
          id: app.id,
          name: 'Bench',
          secret: app.secret,
          redirectUris: [app.redirectUri],
          firstParty: true,
          flow: 'password-sms',
          grantTypes: ['authorization_code', 'refresh_token'],
        },
      ],
    },
    flows: { flows: variant.conditions ? flows.map(withExceptions) : flows },
    providers: { providers },
    users: { users: [{ username: 'template', password, phone: '+447700900123' }] },
  };
}

/** Starts the gateway as `npm start` does, and waits until it is ready. */
export async function startGateway(databaseUrl: string, smsUrl: string): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  for (const [name, document] of Object.entries(documentsOf(smsUrl))) {
    writeFileSync(join(folder, `${name}.yaml`), JSON.stringify(document));
  }
  const port = await freePort();
  const started = performance.now();
  const child = startChild('src/cli/sallyport.js', {
    from: root,
    args: ['serve'],
    env: {
      NODE_ENV: 'production',
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      CONFIG_DIR: folder,
      SECRET_KEY: secretKey,
      LOG_LEVEL: 'warn',
    },
  });
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin: `http://localhost:${port}`, pid: child.pid, readyMs: performance.now() - started, stop };
}

/** Asks every 5 ms; a minute is the end of every patience. */
async function untilReady(url: string, child: Child): Promise<void> {
  const ended = child.next<never>();
  ended.catch(() => undefined);
  for (let left = 12_000; left > 0; left -= 1) {
    const status = await request(url).then(
      async ({ statusCode, body }) => {
        await body.dump();
        return statusCode;
      },
      () => 0,
    );
    if (status === 200) return;
    await Promise.race([new Promise((done) => setTimeout(done, 5)), ended]);
  }
  throw new Error('the gateway did not become ready within a minute');
}

/** Users `from` to `to`, all with the password of the configured one: hashing a million would take hours. */
export async function addUsers(databaseUrl: string, from: number, to: number): Promise<void> {
  await ask(
    databaseUrl,
    `insert into users (id, username, username_key, phone, phone_verified, password_hash, password_changed_at,
       created_at, updated_at)
     select 'usr_' || left(md5(n::text), 22), 'user-' || lpad(n::text, 7, '0'), 'user-' || lpad(n::text, 7, '0'),
       '+44771' || lpad(n::text, 7, '0'), true, t.password_hash, t.created_at, t.created_at, t.created_at
     from users t, generate_series($1::integer, $2::integer) n where t.username = 'template'`,
    [from, to],
  );
  await ask(databaseUrl, 'analyze');
}
