import type { AppFacts, Library } from './types.ts';

export const expressOpenidConnect: Library = {
  name: 'express-openid-connect 3',
  speaks: ['client_secret_basic', 'client_secret_post'],
  settings({ issuer, app, redirectUri, scope }: AppFacts) {
    const callback = URL.parse(redirectUri);
    return `import expressOpenidConnect from 'express-openid-connect';

app.use(
  expressOpenidConnect.auth({
    issuerBaseURL: '${issuer}',
    baseURL: '${callback?.origin}',
    routes: { callback: '${callback?.pathname}' },
    clientID: '${app.id}',
    clientSecret: process.env.CLIENT_SECRET,
    clientAuthMethod: '${app.tokenEndpointAuthMethod}',
    idTokenSigningAlg: '${app.idTokenSignedResponseAlg}',
    secret: process.env.SESSION_SECRET,
    authorizationParams: { response_type: 'code', scope: '${scope}' },
  }),
);
`;
  },
};

export const passport: Library = {
  name: 'passport-openidconnect 0.1',
  speaks: ['client_secret_basic', 'client_secret_post'],
  needs: ({ pkce, tokenEndpointAuthMethod }) => [
    ...(pkce === 'required' ? ['pkce: optional  # the library has no PKCE'] : []),
    ...(tokenEndpointAuthMethod === 'client_secret_basic'
      ? ['tokenEndpointAuthMethod: client_secret_post  # the library sends its secret in the body']
      : []),
  ],
  settings: ({ issuer, app, redirectUri, scope }: AppFacts) => `import passport from 'passport';
import { Strategy } from 'passport-openidconnect';

passport.use(
  new Strategy(
    {
      issuer: '${issuer}',
      authorizationURL: '${issuer}/authorize',
      tokenURL: '${issuer}/token',
      userInfoURL: '${issuer}/userinfo',
      clientID: '${app.id}',
      clientSecret: process.env.CLIENT_SECRET,
      callbackURL: '${redirectUri}',
      // The library adds openid by itself.
      scope: ${JSON.stringify(scope.split(' ').filter((name) => name !== 'openid'))},
    },
    (_issuer, profile, done) => done(null, profile),
  ),
);
`,
};
