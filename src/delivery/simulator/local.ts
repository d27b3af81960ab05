import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { Problem } from '../../lib/problem.ts';

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';

/**
 * Codes stand on these pages, so only a browser on this very machine may read them. A proxy on the machine brings
 * strangers from a loopback address: whatever says that it was forwarded is refused. The name in the address is
 * compared because a foreign page may point its own name at 127.0.0.1 (DNS rebinding). Throws Problem 404 where
 * there is no simulator, else 403.
 */
export function requireLocal(request: FastifyRequest, issuer: URL, configured: boolean): void {
  if (!configured) {
    throw new Problem({ status: 404, code: 'not_found', message: 'There is nothing here.' });
  }
  const forwarded = request.headers['x-forwarded-for'] ?? request.headers.forwarded;
  const local = isLoopback(request.socket.remoteAddress) && isLoopback(request.ip) && forwarded === undefined;
  const name = URL.parse(`http://${request.headers.host ?? ''}`)?.hostname ?? '';
  if (!local || ![issuer.hostname, 'localhost', '127.0.0.1', '[::1]'].includes(name)) {
    throw new Problem({
      status: 403,
      code: 'forbidden',
      message: 'The simulator answers only on the machine on which it runs.',
    });
  }
}
