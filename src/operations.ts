import type { FastifyInstance } from 'fastify';
import type { Audit } from './audit/types.ts';
import type { Storage } from './storage/types.ts';
import type { Metrics } from './telemetry/index.ts';

/** How long a stop waits for answers: longer than a message may take. What is open then is cut. */
const graceMs = 9_000;

/** What is recorded is counted: one place for both. A transaction that is undone afterwards stays counted. */
export const countedAudit = (audit: Audit, metrics: Metrics): Audit => ({
  async record(db, at, events) {
    await audit.record(db, at, events);
    for (const event of events) metrics.count(event);
  },
  riders(db, at, events) {
    for (const event of events) metrics.count(event);
    return audit.riders(db, at, events);
  },
});

/** A request that never ends would keep the process until somebody kills it. */
export async function closeServer(server: FastifyInstance): Promise<void> {
  const impatience = setTimeout(() => server.server.closeAllConnections(), graceMs);
  await server.close();
  clearTimeout(impatience);
}

/** For load balancers and orchestrators: whether the process lives, and whether it can do its work. */
export function healthRoutes(server: FastifyInstance, storage: Storage): void {
  server.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  server.get('/readyz', async (request, reply) => {
    try {
      await storage.ready();
      return reply.type('text/plain').send('ready\n');
    } catch (err) {
      request.log.warn({ err }, 'not ready');
      return reply.code(503).header('retry-after', '1').type('text/plain').send('not ready\n');
    }
  });
}
