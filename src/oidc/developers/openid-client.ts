import type { AppFacts, Library } from './types.ts';

const authentications = {
  client_secret_basic: 'client.ClientSecretBasic(process.env.CLIENT_SECRET)',
  client_secret_post: 'client.ClientSecretPost(process.env.CLIENT_SECRET)',
  private_key_jwt: 'client.PrivateKeyJwt({ key: privateKey, kid })',
  none: 'client.None()',
} as const;

export const openidClient: Library = {
  name: 'openid-client 6 (Node, Deno, Bun)',
  speaks: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  settings: ({ issuer, app, redirectUri, scope }: AppFacts) => `import * as client from 'openid-client';

const config = await client.discovery(
  new URL('${issuer}'),
  '${app.id}',
  { id_token_signed_response_alg: '${app.idTokenSignedResponseAlg}' },
  ${authentications[app.tokenEndpointAuthMethod]},
);
const verifier = client.randomPKCECodeVerifier();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: '${redirectUri}',
  scope: '${scope}',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
});
`,
};

export const oauth4webapi: Library = {
  name: 'oauth4webapi 3 (any JavaScript runtime)',
  speaks: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  settings: ({ issuer, app }: AppFacts) => `import * as oauth from 'oauth4webapi';

const issuer = new URL('${issuer}');
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const client = { client_id: '${app.id}', id_token_signed_response_alg: '${app.idTokenSignedResponseAlg}' };
const clientAuth = ${authentications[app.tokenEndpointAuthMethod].replace('client.', 'oauth.')};
`,
};
