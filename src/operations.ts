import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { Context } from './app.ts';
import { auditSweeps } from './audit/index.ts';
import type { Audit, AuditEvent } from './audit/types.ts';
import type { Settings } from './config/types.ts';
import { type DeliveryService, deliverySweeps, receiptRoutes, registerSimulator } from './delivery/index.ts';
import { flowsSweeps } from './flows/index.ts';
import { guardSweeps } from './guard/index.ts';
import type { Http } from './http/types.ts';
import { oidcSweeps } from './oidc/index.ts';
import { otpSweeps } from './otp/index.ts';
import { peopleSweeps } from './people/index.ts';
import { sessionSweeps } from './sessions/index.ts';
import type { Storage, Sweep } from './storage/types.ts';
import type { Metrics } from './telemetry/index.ts';
import { type MetricsDocument, metricsRoute } from './telemetry/index.ts';
import type { Tracer } from './telemetry/types.ts';
import { tellEvent } from './tracing.ts';
import { usersSweeps } from './users/index.ts';

/** How long a stop waits for answers; what is open then is cut. With the two below it stays within ten seconds. */
const graceMs = 7_000;
/** How long a connection between two requests may still bring one. */
const lingerMs = 1_500;
const quietTurnMs = 0.2;
const longestWaitForQuietMs = 1_000;

/** What is recorded is counted, and told to traces. A transaction that is undone afterwards stays counted. */
export function countedAudit(audit: Audit, metrics: Metrics, tracer: Tracer | null): Audit {
  const count = (events: AuditEvent[]): void => {
    for (const event of events) {
      metrics.count(event);
      if (tracer !== null) tellEvent(tracer, event);
    }
  };
  return {
    history: audit.history,
    async record(db, at, events) {
      await audit.record(db, at, events);
      count(events);
    },
    riders(db, at, events) {
      count(events);
      return audit.riders(db, at, events);
    },
  };
}

/**
 * The first half of a stop: no connection is taken any more, and each answer is the last one on its connection. Those
 * that stand idle stay open for a moment: a proxy may have sent a request on one just now, and it must not repeat what
 * is no GET when the connection is closed instead of answered (RFC 9110, section 9.2.2).
 */
export async function drain(server: Server): Promise<void> {
  server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'));
  await stopListening(server);
  const until = performance.now() + lingerMs;
  while (performance.now() < until && (await countConnections(server)) > 0) await delay(20);
}

/**
 * Connections that the system has made for us and that we have not taken yet are cut when the door is shut, their
 * requests with them. So it is shut in a moment when the last look has found none, and was over at once.
 */
async function stopListening(server: Server): Promise<void> {
  let taken = 0;
  const count = () => {
    taken += 1;
  };
  server.on('connection', count);
  const began = performance.now();
  for (;;) {
    // Who has slept is not interrupted by other processes right afterwards.
    await delay(1);
    const before = taken;
    const turn = performance.now();
    await nextTurn();
    const now = performance.now();
    if (taken === before && now - turn < quietTurnMs) break;
    if (now - began > longestWaitForQuietMs) break;
  }
  // That of HTTP would close idle connections too.
  NetServer.prototype.close.call(server);
  server.off('connection', count);
}

const countConnections = (server: Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)));

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
    reply.type('text/plain');
    try {
      await storage.ready();
      return reply.send('ready\n');
    } catch (err) {
      request.log.warn({ err }, 'not ready');
      return reply.code(503).header('retry-after', '1').send('not ready\n');
    }
  });
}

/** Everything that answers requests, in one list. */
export async function mountRoutes(
  { clock, crypto, environment, metrics, settings, storage }: Context,
  parts: {
    server: FastifyInstance;
    http: Http;
    delivery: DeliveryService;
    plugins: FastifyPluginAsync[];
  },
): Promise<void> {
  const { server, http, delivery, plugins } = parts;
  healthRoutes(server, storage);
  metricsRoute(server, { metrics, settings: () => settings.get<MetricsDocument>('metrics') });
  for (const plugin of plugins) await server.register(plugin);
  const { receipts } = delivery;
  await server.register(async (scope) => receiptRoutes(scope, { receipts, issuer: environment.issuer }));
  const configured = () => delivery.simulatorConfigured();
  await server.register(async (scope) =>
    registerSimulator(scope, {
      ...{ http, db: storage.db, crypto, clock, issuer: environment.issuer, configured },
    }),
  );
}

/** Rows that are of no use after their time. */
export const sweepsOf = (settings: Settings): Sweep[] => [
  ...usersSweeps,
  ...otpSweeps,
  ...peopleSweeps,
  ...sessionSweeps,
  ...guardSweeps,
  ...deliverySweeps,
  ...flowsSweeps,
  ...oidcSweeps,
  ...auditSweeps(settings),
];
