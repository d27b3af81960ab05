import type { FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { addressKey } from '../../guard/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { Problem } from '../../lib/problem.ts';
import type { Counters } from '../../storage/types.ts';
import { devicePath } from './pages.ts';

const windowMs = 600_000;
/** A sign-in takes two forms. Of 20⁸ codes a few are alive: this leaves nothing to guess (RFC 8628, section 5.1). */
const formsPerWindow = 60;
const lifeMs = 600_000;

/**
 * Before the library reads a form: not from another site, and not without end. Throws Problem 403 or 429.
 */
export async function checkDeviceForm(
  request: FastifyRequest,
  { issuer, counters, clock }: { issuer: URL; counters: Counters; clock: Clock },
): Promise<void> {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if ((origin !== undefined && origin !== issuer.origin) || (site !== undefined && site !== 'same-origin')) {
    throw new Problem({
      status: 403,
      code: 'foreign_form',
      message: 'This form was not sent by our own page.',
    });
  }
  const key = `device-form:${addressKey(request.ip)}`;
  if ((await counters.add(key, windowMs, clock.now())) <= formsPerWindow) return;
  throw new Problem({
    status: 429,
    code: 'too_many_requests',
    message: 'Too many codes were tried from here.',
    retryAfterSeconds: windowMs / 1000,
  });
}

/**
 * The library keeps the secret of its form in the session. Whoever connects a device is often not logged in yet, and a
 * GET writes nothing: so it travels in a cookie of the page, and the form has to bring the same.
 */
export function carryDeviceForms(provider: Provider, cookieName: string): void {
  type Get = (context: KoaContextWithOIDC) => Promise<{ state?: unknown }>;
  const sessions = provider.Session as unknown as { get: Get };
  const { get } = sessions;
  sessions.get = async function getWithForm(context) {
    const session = await get.call(this, context);
    const secret = isDeviceForm(context) ? context.cookies.get(cookieName) : undefined;
    if (secret !== undefined) session.state = { secret };
    return session;
  };
}

const isDeviceForm = ({ method, oidc }: KoaContextWithOIDC): boolean =>
  method === 'POST' && oidc?.route === 'code_verification';

/** After the library: the secret of the form that is shown goes out; that of a finished one is taken back. */
export function sendDeviceForm(context: KoaContextWithOIDC, cookieName: string): void {
  const { route, session } = context.oidc;
  if (route !== 'code_verification' && route !== 'device_resume') return;
  const { secret } = (session?.state ?? {}) as { secret?: string };
  const options = { path: devicePath, httpOnly: true, sameSite: 'lax', overwrite: true } as const;
  if (secret === undefined) context.cookies.set(cookieName, null, options);
  else context.cookies.set(cookieName, secret, { ...options, maxAge: lifeMs });
}
