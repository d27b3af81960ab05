import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isWithin } from '../lib/network.ts';
import type { OpenSpan, RemoteParent, Tracer } from './types.ts';

/** Asked every few seconds, by machines. */
const untold = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * A span for every request, around its hooks and its handler; before all other hooks. It is named by the route's
 * pattern: what stands in a path or a query may be a code, a token or a number.
 */
export function traceRequests(
  app: FastifyInstance,
  tracer: Tracer,
  { trustedProxies, issuer }: { trustedProxies: string[]; issuer: URL },
): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  const within = (request: FastifyRequest, done: () => void) => {
    const span = spans.get(request);
    if (span) span.run(done);
    else done();
  };

  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (route === undefined || !untold.has(route)) {
      const { method, raw } = request;
      const span = tracer.begin(route === undefined ? method : `${method} ${route}`, {
        kind: 'server',
        parent: parentOf(request, trustedProxies),
        facts: {
          'http.request.method': method,
          'http.route': route,
          'url.scheme': issuer.protocol.slice(0, -1),
          'network.protocol.version': raw.httpVersion,
          'sallyport.request_id': request.id,
        },
      });
      spans.set(request, span);
    }
    within(request, done);
  });
  // What reads a body is called back by the socket, which belongs to no span.
  app.addHook('preValidation', (request, _reply, done) => within(request, done));
  app.addHook('onResponse', (request, { raw: { statusCode } }, done) => {
    within(request, done);
    const span = spans.get(request);
    span?.tell({ 'http.response.status_code': statusCode });
    span?.end(statusCode >= 500 ? String(statusCode) : null);
  });
}

/**
 * The trace that the request says it belongs to (W3C Trace Context, section 3.2), believed from our own proxies only: a
 * stranger could else have all his requests kept, or mix them into the traces of others.
 */
function parentOf({ headers, raw }: FastifyRequest, trustedProxies: string[]): RemoteParent | null {
  const { traceparent } = headers;
  if (typeof traceparent !== 'string' || !isWithin(raw.socket.remoteAddress ?? '', trustedProxies))
    return null;
  const [, traceId = '', spanId = '', flags = ''] =
    /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(
      traceparent,
    ) ?? [];
  return traceId === '' ? null : { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
