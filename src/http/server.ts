import fastifyCookie from '@fastify/cookie';
import fastifyFormbody from '@fastify/formbody';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { systemRandom } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { Problem } from '../lib/problem.ts';
import { fastifyLogger } from './logger.ts';
import { securityHeaders } from './security.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
/** Longer than a message may take while a person waits for it, and the hash before it. */
const HANDLER_TIMEOUT_MS = 25_000;
/** Longer than proxies keep idle connections (nginx and most load balancers: 60 s): who closes first cuts nobody off. */
const IDLE_SOCKET_TIMEOUT_MS = 75_000;
const TIMEOUT_CHECK_MS = 500;

export interface ServerDeps {
  issuer: URL;
  log: Logger;
  /** Addresses or CIDR ranges whose `X-Forwarded-*` headers are believed. */
  trustedProxies: string[];
  /** How long a handler may take; default 25 s. */
  handlerTimeoutMs?: number | undefined;
  /** Adds hooks that come before all others. */
  hooks?: ((app: FastifyInstance) => void) | undefined;
}

/** A Fastify with every limit set, safe headers, cookies and forms; it knows no route yet. */
export async function createServer(deps: ServerDeps): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: fastifyLogger(deps.log),
    // Its own lines hold the address with the query; the hook below logs the route's pattern.
    logController: new LogController({ disableRequestLogging: true }),
    // Short enough to be read out on the phone; error pages show it.
    genReqId: () => systemRandom(5).toString('hex'),
    trustProxy: deps.trustedProxies.length > 0 ? deps.trustedProxies : false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_SOCKET_TIMEOUT_MS,
    keepAliveTimeout: IDLE_SOCKET_TIMEOUT_MS,
    // Who reached us before the door was shut is served: a proxy tries elsewhere only what was refused at the door.
    return503OnClosing: false,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    // A HEAD that ran a GET's handler would let link previews run it.
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: false },
    frameworkErrors: refuseAddress,
    // The routes' schemas are constants of this program. To check them against the schema of schemas, that one has to
    // be compiled first: 40 ms of every start.
    ajv: { customOptions: { validateSchema: false } },
  });
  deps.hooks?.(app);
  noticeProxies(app, deps.log);
  limitHandlers(app, deps.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS);
  logAnswers(app);
  protectAnswers(app, securityHeaders(deps.issuer));
  closeGracefully(app);
  refuseNul(app);
  await app.register(fastifyCookie);
  await app.register(fastifyFormbody, { bodyLimit: BODY_LIMIT_BYTES });
  return app;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The handler writes past Fastify, which then cannot answer in its place when it takes too long. */
    answersItself?: boolean;
  }
}

/**
 * Not Fastify's own limit: it ends where a body has been read, so that forms would have none, and makes and aborts an
 * AbortController for every request.
 */
function limitHandlers(app: FastifyInstance, timeoutMs: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.routeOptions.config?.answersItself) {
      const timer = setTimeout(endOverdue, timeoutMs, reply);
      reply.raw.once('close', () => clearTimeout(timer));
    }
    done();
  });
}

function endOverdue(reply: FastifyReply): void {
  // What has begun to go out may be on its way to a slow reader.
  if (reply.sent || reply.raw.headersSent) return;
  const message = 'The request took too long.';
  reply.send(new Problem({ status: 503, code: 'timeout', message, retryAfterSeconds: 1 }));
}

/** On the answer itself, so that it holds for those too that a handler writes past Fastify. */
function protectAnswers(app: FastifyInstance, headers: [string, string][]): void {
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of headers) reply.raw.setHeader(name, value);
    done();
  });
}

/** For addresses that no route can read. No hook runs for them, and Fastify's own answer would repeat them. */
function refuseAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const status = error.statusCode ?? 400;
  reply
    .code(status)
    .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    .type('application/problem+json')
    .send({ title: 'This is no address.', status, code: 'invalid_request', reference: request.id });
}

/** PostgreSQL has no NUL in its texts: it would fail wherever such a value comes to be stored or looked for. */
function refuseNul(app: FastifyInstance): void {
  const message = 'The request holds a NUL character.';
  const refusal = () => new Problem({ status: 400, code: 'invalid_request', message });
  const hasNul = (value: unknown) => typeof value === 'string' && value.includes('\0');
  app.addHook('onRequest', ({ url }, _reply, done) => done(url.includes('%00') ? refusal() : undefined));
  app.addHook('preValidation', ({ body }, _reply, done) => {
    const holds = typeof body === 'object' && body !== null && Object.values(body).flat().some(hasNul);
    done(holds ? refusal() : undefined);
  });
}

/** One line per answer. Paths hold login ids and, in one route, a code: the pattern is enough. */
function logAnswers(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? null,
        status: reply.raw.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    );
    done();
  });
}

/** Closing waits for connections; those that fall idle meanwhile are let go at once, running answers are not cut. */
function closeGracefully(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    const timer = setInterval(() => app.server.closeIdleConnections(), 100);
    app.server.once('close', () => clearInterval(timer));
    timer.unref();
  });
}

/**
 * Says once that something in front names the browsers' addresses and is not believed: every limit per address would
 * then be met by that one address. Whoever connects directly could make the header up, so it is not more than a hint.
 */
function noticeProxies(app: FastifyInstance, log: Logger): void {
  let noticed = false;
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, ip, socket } = request;
    const forwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
    if (!noticed && forwarded && ip === socket.remoteAddress) {
      noticed = true;
      log.warn(
        { proxy: ip },
        'requests come through a proxy that trustedProxies of gateway.yaml does not name: all browsers behind it share one address, and the limits for one',
      );
    }
    done();
  });
}
