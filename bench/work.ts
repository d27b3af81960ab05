import type { Pool } from 'undici';
import { app, nameOf, password, phoneOf } from './gateway.ts';
import { basic, createVisitor, newVerifier, postForm } from './http.ts';
import type { startSms } from './sms.ts';

/** One thing done once, by worker `n` for the `turn`th time; throws when the answer is not the right one. */
export type Work = (worker: number, turn: number) => Promise<void>;

export interface Target {
  origin: string;
  pool: Pool;
}

type Tokens = Record<'access_token' | 'refresh_token', string>;

const authorization = basic(app.id, app.secret);
const scope = 'openid profile email';

function authorizeUrl(origin: string, challenge: string, offline: boolean): string {
  const url = new URL('/authorize', origin);
  url.search = new URLSearchParams({
    client_id: app.id,
    response_type: 'code',
    redirect_uri: app.redirectUri,
    scope: offline ? `${scope} offline_access` : scope,
    ...(offline && { prompt: 'consent' }),
    state: 'state',
    nonce: 'nonce',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString();
  return url.href;
}

const hiddenOf = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name ?? '',
      value ?? '',
    ]),
  );

type Visit = ReturnType<typeof createVisitor>;

/** Follows redirects from `url` until the application's own address, or a page. */
async function follow(visit: Visit, url: string): Promise<{ url: string; html: string }> {
  let at = url;
  for (let hops = 0; hops < 10; hops += 1) {
    if (at.startsWith(app.redirectUri)) return { url: at, html: '' };
    const answer = await visit('GET', at);
    if (answer.location === null) {
      if (answer.status !== 200)
        throw new Error(`${at.split('?')[0]} answered ${answer.status}: ${answer.body}`);
      return { url: at, html: answer.body };
    }
    at = answer.location;
  }
  throw new Error('too many redirects');
}

async function submit(visit: Visit, page: { url: string; html: string }, values: Record<string, string>) {
  const answer = await visit('POST', page.url, { ...hiddenOf(page.html), ...values });
  if (answer.location === null) {
    throw new Error(`${page.url} answered ${answer.status} to a form: ${answer.body.slice(0, 4000)}`);
  }
  return follow(visit, answer.location);
}

const exchange = ({ origin, pool }: Target, back: string, verifier: string) => {
  const code = new URL(back).searchParams.get('code');
  if (code === null) throw new Error(`the application got no code: ${back}`);
  return postForm(pool, '/token', new URL(origin).host, authorization, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: app.redirectUri,
    code_verifier: verifier,
  }) as Promise<Tokens & Record<string, unknown>>;
};

export type Sms = Awaited<ReturnType<typeof startSms>>;

/** What the browsers of the users keep from one login to the next, where they are given any. */
const devices = new Map<number, string>();
const deviceCookie = 'sp-remembered';

/** Authorize, page, password, page, code, callback, token: a new browser each time, but for what makes it known. */
export async function login(target: Target, sms: Sms, n: number, offline: boolean): Promise<Tokens> {
  const address = `198.18.${(n >> 8) & 255}.${n & 255}`;
  const device = devices.get(n);
  const cookies = new Map(device === undefined ? [] : [[deviceCookie, device]]);
  const visit = createVisitor(target.pool, target.origin, address, cookies);
  const { verifier, challenge } = newVerifier();
  const first = await follow(visit, authorizeUrl(target.origin, challenge, offline));
  const code = sms.code(phoneOf(n));
  const second = await submit(visit, first, { username: nameOf(n), password });
  const back = await submit(visit, second, { code: await code });
  const given = cookies.get(deviceCookie);
  if (given !== undefined) devices.set(n, given);
  return exchange(target, back.url, verifier);
}

/** What is asked of any OpenID provider once somebody has logged in; each worker has tokens of its own. */
export function endpoints(target: Target, tokens: Tokens[]): Record<string, Work> {
  const { pool } = target;
  const host = new URL(target.origin).host;
  const own = (worker: number): Tokens => tokens[worker % tokens.length] as Tokens;
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await pool.request({ method: 'GET', path, headers: { host, ...headers } });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
  };
  return {
    async refresh(worker) {
      const present = own(worker);
      const form = { grant_type: 'refresh_token', refresh_token: present.refresh_token };
      const fresh = (await postForm(pool, '/token', host, authorization, form)) as Tokens;
      present.refresh_token = fresh.refresh_token;
      present.access_token = fresh.access_token;
    },
    async introspection(worker) {
      const form = { token: own(worker).access_token };
      const { active } = await postForm(pool, '/introspect', host, authorization, form);
      if (active !== true) throw new Error('introspection calls a live token inactive');
    },
    userinfo: (worker) => get('/userinfo', { authorization: `Bearer ${own(worker).access_token}` }),
    discovery: () => get('/.well-known/openid-configuration'),
  };
}
