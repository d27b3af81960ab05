import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Crypto } from '../crypto/types.ts';
import type { Http } from '../http/types.ts';
import type { Text } from '../lib/texts.ts';

/** What the next page says or shows again, once. */
export interface Flash {
  done?: Text;
  typed?: Record<string, string>;
}

const cookie = 'sp-flash';
const path = '/account';
const keptMs = 10 * 60_000;

type Deps = { http: Pick<Http, 'cookies'>; crypto: Crypto };

/** Sealed for the session in a cookie: a link could make the page say whatever its author likes. */
export function setFlash({ crypto, http }: Deps, reply: FastifyReply, flash: Flash, sessionId: string): void {
  const sealed = crypto.seal('form', JSON.stringify(flash), sessionId);
  http.cookies.set(reply, cookie, sealed, { path, maxAgeMs: keptMs });
}

export function takeFlash(
  { crypto, http }: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  sessionId: string,
): Flash {
  const sealed = http.cookies.get(request, cookie, 'path');
  if (sealed === undefined) return {};
  http.cookies.clear(reply, cookie, { path });
  try {
    return JSON.parse(crypto.open('form', sealed, sessionId)) as Flash;
  } catch {
    // Of another session, or under a key that is gone.
    return {};
  }
}
