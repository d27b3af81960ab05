import { decodeJwt } from 'jose';
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { OwnMembers } from './adapters/clients.ts';

/** `acr` values without which a login is of no use to the app (OpenID Connect Core, section 5.5.1.1), or undefined. */
export function essentialAcr(claims: unknown): string[] | undefined {
  const request = idTokenClaim(claims, 'acr');
  if (request?.essential !== true) return undefined;
  const values = valuesOf(request);
  return values.length > 0 ? values : undefined;
}

/** `acr_values` and `max_age` (milliseconds) of the request, whichever way it was made. */
export function demandsOf(params: Record<string, unknown>): { acr: string[]; maxAgeMs: number | null } {
  const { acr_values: acr, max_age: maxAge } = params;
  return {
    acr:
      typeof acr === 'string'
        ? acr.split(' ').filter(Boolean)
        : valuesOf(idTokenClaim(claimsOf(params), 'acr')),
    maxAgeMs: maxAge === undefined ? null : Number(maxAge) * 1000,
  };
}

/** The subject that the request insists on, in its `claims`. */
export function demandedSubject(params: Record<string, unknown>): string | undefined {
  const value = idTokenClaim(claimsOf(params), 'sub')?.value;
  return typeof value === 'string' ? value : undefined;
}

function claimsOf({ claims }: Record<string, unknown>): unknown {
  return typeof claims === 'string' ? JSON.parse(claims) : undefined;
}

function idTokenClaim(claims: unknown, name: string): Record<string, unknown> | undefined {
  const requests = (claims as { id_token?: Record<string, unknown> } | undefined)?.id_token;
  const request = requests?.[name];
  return typeof request === 'object' && request !== null ? (request as Record<string, unknown>) : undefined;
}

function valuesOf(request: Record<string, unknown> | undefined): string[] {
  const { value, values } = request ?? {};
  const all = Array.isArray(values) ? values : [value];
  return all.filter((one) => typeof one === 'string');
}

/**
 * OpenID Connect Core, section 11, lets other conditions than a consent page permit offline access: for the operator's
 * own apps it is that they may refresh and ask for it.
 */
export async function keepOfflineAccess(
  context: KoaContextWithOIDC,
  _value: string | undefined,
  client: Client,
): Promise<void> {
  const { params } = context.oidc;
  if (!params || !(client as OwnMembers).first_party || !askedScopes(context).includes('offline_access'))
    return;
  const allowed = String(client.scope ?? '').split(' ');
  if (!allowed.includes('offline_access') || !client.grantTypeAllowed('refresh_token')) return;
  params.scope = [...new Set([...String(params.scope ?? '').split(' '), 'offline_access'])].join(' ').trim();
}

/** The scope as it was sent: in a request object that was pushed or comes along, in a body, or in the URL. */
function askedScopes({ oidc, query }: KoaContextWithOIDC): string[] {
  const sent: Record<string, unknown> = oidc.body ?? query;
  const object = oidc.entities.PushedAuthorizationRequest?.request ?? sent.request;
  const { scope } = typeof object === 'string' ? (decodeJwt(object) as Record<string, unknown>) : sent;
  return String(scope ?? '').split(' ');
}

/** Longer than any library asks for: what was used is remembered until it runs out. */
const longestAssertionSeconds = 3600;

/** An assertion that runs for ever could be used by whoever finds it, and would have to be remembered as long. */
export function checkAssertionLife(
  _context: KoaContextWithOIDC,
  claims: Record<string, unknown>,
  nowSeconds: number,
): void {
  const { exp } = claims;
  if (typeof exp === 'number' && exp - nowSeconds <= longestAssertionSeconds) return;
  throw new errors.InvalidClientAuth('the client_assertion must expire within an hour');
}
