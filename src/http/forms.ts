import type { FastifyRequest } from 'fastify';
import type { Crypto } from '../crypto/types.ts';
import { Problem } from '../lib/problem.ts';
import type { Forms } from './types.ts';

/**
 * Safety of hosted forms without a store: the token is a keyed hash of what the browser already holds in a cookie,
 * so another site can neither read nor guess it, and what the browser says about the sender must agree.
 */
export function createForms(issuer: URL, crypto: Crypto): Forms {
  return {
    token: (binding) => crypto.mac('form', binding),
    check(request, binding) {
      if (!isSameOrigin(request, issuer.origin) || !carriesToken(request, binding, crypto)) {
        throw new Problem({
          status: 403,
          code: 'foreign_form',
          message: 'This form was not sent by our own page, or not by the browser that opened it.',
        });
      }
    },
  };
}

/** Both headers are set by the browser and out of a page's reach. Absent ones are left to the token. */
function isSameOrigin(request: FastifyRequest, origin: string): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return request.headers.origin === undefined || request.headers.origin === origin;
}

function carriesToken(request: FastifyRequest, binding: string, crypto: Crypto): boolean {
  const token = (request.body as { _token?: unknown } | null | undefined)?._token;
  return binding !== '' && typeof token === 'string' && crypto.verifyMac(token, 'form', binding);
}
