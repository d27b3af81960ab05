import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Ticker } from '../lib/ticker.ts';
import { longestPushed, tooLarge } from './adapters/pushed.ts';
import { routes } from './configuration.ts';
import { consentBody, type createConsent } from './consents/consent.ts';
import { deviceAuthorizationPath, devicePath, deviceResumePath } from './devices/pages.ts';
import type { LiveProvider } from './live-provider.ts';
import { consentPath, resumePath } from './pending.ts';
import { rememberRequest } from './unit.ts';

/** The library's paths and what they are asked by. No HEAD: a link preview must not use up what a GET means. */
const endpoints: [HTTPMethods[], string][] = [
  [['GET'], routes.authorization],
  [['GET'], resumePath(':key')],
  [['POST', 'OPTIONS'], routes.token],
  [['GET', 'OPTIONS'], routes.jwks],
  [['GET', 'POST', 'OPTIONS'], routes.userinfo],
  [['POST', 'OPTIONS'], routes.revocation],
  [['POST', 'OPTIONS'], routes.introspection],
  [['POST', 'OPTIONS'], routes.pushed_authorization_request],
  [['GET'], routes.end_session],
  [['POST'], `${routes.end_session}/confirm`],
  [['GET'], `${routes.end_session}/success`],
  [['POST', 'OPTIONS'], deviceAuthorizationPath],
  [['GET', 'POST'], devicePath],
  [['GET'], deviceResumePath(':key')],
  [['GET', 'OPTIONS'], '/.well-known/openid-configuration'],
  [['GET', 'OPTIONS'], '/.well-known/oauth-authorization-server'],
];

interface PluginParts {
  live: LiveProvider;
  consent: ReturnType<typeof createConsent>;
  /** Throws a Problem for a form that is not to be read. */
  checkDevice: (request: FastifyRequest) => Promise<void>;
  /** Runs as long as the server listens. */
  backChannel: Ticker;
}

/** Mounts the library at the issuer's root, and the consent page beside it. */
export function createPlugin({ live, consent, checkDevice, backChannel }: PluginParts): FastifyPluginAsync {
  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { url } = request.routeOptions;
    if (
      url === routes.pushed_authorization_request &&
      Number(request.headers['content-length']) > longestPushed
    ) {
      return reply.code(413).send(tooLarge);
    }
    rememberRequest(request);
    if (url === devicePath) {
      if (request.method === 'POST') await checkDevice(request);
      // A code in the link is put into the form by the page; the library would submit it by a script.
      else request.raw.url = devicePath;
    }
    // The library writes the answer itself; headers that our hooks have set go along.
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.hijack();
    return live.answer(request.raw, reply.raw);
  }

  return async (app: FastifyInstance) => {
    app.addHook('onListen', async () => backChannel.start());
    app.addHook('onClose', async () => {
      await backChannel.stop();
      live.stop();
    });
    await app.register(async (scope) => {
      // The library reads the body from the stream.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
      for (const [method, url] of endpoints) {
        scope.route({ method, url, handler: handle, config: { answersItself: true } });
        if (!method.includes('GET')) scope.get(url, refuseGet);
      }
    });
    await app.register(postedAuthorizations);
    app.get<{ Params: { key: string } }>(consentPath(':key'), consent.ask);
    app.post<{ Params: { key: string } }>(
      consentPath(':key'),
      { schema: { body: consentBody } },
      consent.answer,
    );
  };
}

/** What a URL may hold at our own server and at common proxies. Longer requests are pushed. */
const longestForm = 7 * 1024;

/**
 * A request to sign in may come as a form (OpenID Connect Core, section 3.1.2.1). Browsers withhold the session's
 * cookie from forms of other sites, so it goes on as what it would have been as a link.
 */
async function postedAuthorizations(scope: FastifyInstance): Promise<void> {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: longestForm },
    (_request, body, done) => done(null, body),
  );
  scope.post(routes.authorization, async (request, reply) =>
    reply.redirect(`${routes.authorization}?${new URLSearchParams(String(request.body ?? ''))}`, 303),
  );
}

/** What belongs into a body must not be tried in a URL, which logs and histories keep. */
async function refuseGet(_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  return reply.code(405).header('allow', 'POST').send({ error: 'invalid_request' });
}
