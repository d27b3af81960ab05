import type { Dispatcher } from 'undici';
import { exchange } from '../network/exchange.ts';
import type { AuthorizeMeans, GatewayAnswer, GatewayRequest } from '../preset.ts';
import { AuthorizationFailed } from './failure.ts';

/** Access tokens of one client, kept in this process until shortly before they end. */
export interface TokenSource {
  /** Throws `AuthorizationFailed`. Concurrent callers share one request. */
  get(means: AuthorizeMeans): Promise<string>;
  /** Ends this token, unless another one has already taken its place. */
  forget(token: string): void;
}

interface Token {
  value: string;
  untilMs: number;
}

/** Asked by many at once, it has a limit of its own; each of them waits no longer than it has time. */
const REQUEST_MS = 5_000;
const MAX_BODY_BYTES = 64 * 1024;
/** Servers refuse longer headers. */
const MAX_TOKEN = 8_192;
/** RFC 6749 recommends expires_in and does not demand it. */
const DEFAULT_LIFE_S = 300;
const MAX_LIFE_S = 86_400;
/** A token must still be good when it arrives. */
const MARGIN_S = 30;

export function createTokenSource(origin: string, request: GatewayRequest): TokenSource {
  let held: Token | null = null;
  let fetching: Promise<Token> | null = null;

  async function fetchToken({ dispatcher, now }: AuthorizeMeans): Promise<Token> {
    const token = await ask(dispatcher, origin, request, now);
    held = token;
    return token;
  }

  return {
    async get(means) {
      if (held !== null && held.untilMs > means.now.getTime()) return held.value;
      fetching ??= fetchToken(means).finally(() => {
        fetching = null;
      });
      return (await inTime(fetching, means.timeoutMs)).value;
    },
    forget(token) {
      if (held?.value === token) held = null;
    },
  };
}

function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new AuthorizationFailed('no access token came in time'));
    const timer = setTimeout(late, Math.max(0, ms));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function ask(
  dispatcher: Dispatcher,
  origin: string,
  request: GatewayRequest,
  now: Date,
): Promise<Token> {
  const { host } = new URL(origin);
  const { answer, error } = await exchange(dispatcher, {
    ...{ origin, request, timeoutMs: REQUEST_MS, maxBodyBytes: MAX_BODY_BYTES },
    settled: () => false,
  });
  if (answer === null) throw failed(host, error.message);
  if (!answer.complete) throw failed(host, error?.message ?? 'the answer was cut');
  if (answer.status !== 200) throw failed(host, `status ${answer.status} ${answer.body}`.trim());
  return read(host, answer, now);
}

const failed = (host: string, reason: string): AuthorizationFailed =>
  new AuthorizationFailed(`no access token from ${host}: ${reason}`);

/** RFC 6749, section 5.1. */
function read(host: string, { body }: GatewayAnswer, now: Date): Token {
  const { access_token: value, token_type: type, expires_in: life } = members(body);
  if (typeof value !== 'string' || value === '') throw failed(host, 'the answer holds no access_token');
  // RFC 6750, section 2.1: anything else could not stand in the header, or would add one.
  if (!/^[\w.~+/-]+=*$/.test(value) || value.length > MAX_TOKEN)
    throw failed(host, 'its access_token cannot be sent in a header');
  if (type !== undefined && (typeof type !== 'string' || type.toLowerCase() !== 'bearer'))
    throw failed(host, 'its token_type is not Bearer');
  return { value, untilMs: now.getTime() + 1_000 * usefulSeconds(life) };
}

function usefulSeconds(life: unknown): number {
  const seconds = life === undefined ? DEFAULT_LIFE_S : Number(life);
  if (!(seconds > 0)) return 0;
  const bounded = Math.min(seconds, MAX_LIFE_S);
  return bounded - Math.min(MARGIN_S, bounded / 2);
}

function members(body: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
