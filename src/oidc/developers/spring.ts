import type { AppFacts, Library } from './types.ts';

export const spring: Library = {
  name: 'Spring Security 6 and later (application.yaml)',
  speaks: ['client_secret_basic', 'client_secret_post', 'none'],
  needs: ({ idTokenSignedResponseAlg }) =>
    idTokenSignedResponseAlg === 'RS256'
      ? []
      : ['idTokenSignedResponseAlg: RS256  # or a JwsAlgorithm of ES256 in its OidcIdTokenDecoderFactory'],
  settings: ({ issuer, app, redirectUri, scope }: AppFacts) => `spring:
  security:
    oauth2:
      client:
        provider:
          sallyport:
            issuer-uri: ${issuer}
        registration:
          sallyport:
            client-id: ${app.id}
${app.public ? '' : `            client-secret: \${CLIENT_SECRET}\n`}            client-authentication-method: ${app.tokenEndpointAuthMethod}
            authorization-grant-type: authorization_code
            redirect-uri: ${redirectUri}
            scope: ${scope.replaceAll(' ', ', ')}
`,
};
