import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type Provider from 'oidc-provider';
import { routes } from './configuration.ts';
import { consentBody, type createConsent } from './consent.ts';
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
  [['GET'], routes.end_session],
  [['POST'], `${routes.end_session}/confirm`],
  [['GET'], `${routes.end_session}/success`],
  [['GET', 'OPTIONS'], '/.well-known/openid-configuration'],
  [['GET', 'OPTIONS'], '/.well-known/oauth-authorization-server'],
];

/** Mounts the library at the issuer's root, and the consent page beside it. */
export function createPlugin(
  provider: Provider,
  consent: ReturnType<typeof createConsent>,
): FastifyPluginAsync {
  const answer = provider.callback();

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    rememberRequest(request);
    // The library writes the answer itself; headers that our hooks have set go along.
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.hijack();
    await answer(request.raw, reply.raw);
  }

  return async (app: FastifyInstance) => {
    await app.register(async (scope) => {
      // The library reads the body from the stream.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
      for (const [method, url] of endpoints) scope.route({ method, url, handler: handle });
    });
    app.get<{ Params: { key: string } }>(consentPath(':key'), consent.ask);
    app.post<{ Params: { key: string } }>(
      consentPath(':key'),
      { schema: { body: consentBody } },
      consent.answer,
    );
  };
}
