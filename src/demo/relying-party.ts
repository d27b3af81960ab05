import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import * as client from 'openid-client';
import { errorPage, homePage } from './pages.ts';

export interface RelyingPartyOptions {
  issuer: URL;
  clientId: string;
  clientSecret: string;
  /** 0: a free one. */
  port: number;
  /** Shown on the page: where to read the code. */
  hint?: string;
}

export interface RelyingParty {
  url: string;
  close(): Promise<void>;
}

/** What the shop remembers of a visitor, in its own memory: enough for a demonstration. */
interface Visit {
  /** Set while the visitor is away at the gateway. */
  pending?: { state: string; nonce: string; verifier: string };
  user?: { claims: Record<string, unknown>; idToken: string };
}

const cookie = 'demo_shop';

function cookieValue(request: FastifyRequest): string | undefined {
  return new RegExp(`(?:^|;\\s*)${cookie}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
}

function visits() {
  const known = new Map<string, Visit>();
  return {
    of: (request: FastifyRequest): Visit | undefined => known.get(cookieValue(request) ?? ''),
    /** A new cookie for every change of who the visitor is. */
    begin(reply: FastifyReply, visit: Visit): void {
      const id = randomBytes(24).toString('base64url');
      known.set(id, visit);
      reply.header('set-cookie', `${cookie}=${id}; Path=/; HttpOnly; SameSite=Lax`);
    },
    end(request: FastifyRequest): void {
      known.delete(cookieValue(request) ?? '');
    },
  };
}

/** Looks the gateway up when it is first needed, so that the two may start in any order. */
function discovering(options: RelyingPartyOptions): () => Promise<client.Configuration> {
  let found: client.Configuration | undefined;
  return async () => {
    const insecure = options.issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [];
    found ??= await client.discovery(
      options.issuer,
      options.clientId,
      undefined,
      client.ClientSecretBasic(options.clientSecret),
      { execute: insecure },
    );
    return found;
  };
}

interface Shop {
  visits: ReturnType<typeof visits>;
  configuration(): Promise<client.Configuration>;
  baseUrl(): string;
}

/** Sends the visitor to the gateway, and remembers what the answer has to match. */
async function signIn({ visits, configuration, baseUrl }: Shop, reply: FastifyReply) {
  const pending = {
    state: client.randomState(),
    nonce: client.randomNonce(),
    verifier: client.randomPKCECodeVerifier(),
  };
  const target = client.buildAuthorizationUrl(await configuration(), {
    redirect_uri: `${baseUrl()}/callback`,
    scope: 'openid profile email phone',
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  });
  visits.begin(reply, { pending });
  return reply.redirect(target.href, 302);
}

/** The visitor is back with a code: it is exchanged, and the tokens say who it is. */
async function callback(shop: Shop, request: FastifyRequest, reply: FastifyReply) {
  const { visits, baseUrl } = shop;
  const pending = visits.of(request)?.pending;
  if (pending === undefined) return reply.redirect('/', 302);
  visits.end(request);
  const configuration = await shop.configuration();
  const tokens = await client.authorizationCodeGrant(configuration, new URL(request.url, baseUrl()), {
    expectedState: pending.state,
    expectedNonce: pending.nonce,
    pkceCodeVerifier: pending.verifier,
    idTokenExpected: true,
  });
  const claims: Record<string, unknown> = tokens.claims() ?? {};
  const profile = await client.fetchUserInfo(configuration, tokens.access_token, String(claims.sub));
  visits.begin(reply, { user: { claims: { ...profile, ...claims }, idToken: tokens.id_token ?? '' } });
  return reply.redirect('/', 302);
}

async function signOut(
  { visits, configuration, baseUrl }: Shop,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const user = visits.of(request)?.user;
  visits.end(request);
  if (user === undefined) return reply.redirect('/', 303);
  const target = client.buildEndSessionUrl(await configuration(), {
    id_token_hint: user.idToken,
    post_logout_redirect_uri: `${baseUrl()}/`,
  });
  return reply.redirect(target.href, 303);
}

function routes(app: FastifyInstance, shop: Shop, hint: string | undefined): void {
  const html = (reply: FastifyReply, page: string) => reply.type('text/html; charset=utf-8').send(page);
  app.get('/', async (request, reply) => html(reply, homePage(shop.visits.of(request)?.user?.claims, hint)));
  app.get('/login', (_request, reply) => signIn(shop, reply));
  app.get('/callback', (request, reply) => callback(shop, request, reply));
  app.post('/logout', (request, reply) => signOut(shop, request, reply));
  app.setErrorHandler((error, _request, reply) => {
    const message = error instanceof Error ? error.message : String(error);
    return html(reply.status(502), errorPage(message));
  });
}

/** Starts the shop. It keeps nothing on disk. */
export async function startRelyingParty(options: RelyingPartyOptions): Promise<RelyingParty> {
  const app = Fastify({ forceCloseConnections: true });
  let url = '';
  // A logout button is a form without fields.
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, payload, done) => {
    payload.resume();
    done(null, undefined);
  });
  routes(app, { visits: visits(), configuration: discovering(options), baseUrl: () => url }, options.hint);
  await app.listen({ port: options.port, host: '127.0.0.1' });
  url = `http://localhost:${(app.server.address() as AddressInfo).port}`;
  return { url, close: () => app.close() };
}
