import type { AppFacts, Library } from './types.ts';

export const oidcClientTs: Library = {
  name: 'oidc-client-ts 3 (in the browser)',
  speaks: ['none'],
  settings: ({ issuer, app, redirectUri, scope }: AppFacts) => `import { UserManager } from 'oidc-client-ts';

const users = new UserManager({
  authority: '${issuer}',
  client_id: '${app.id}',
  redirect_uri: '${redirectUri}',
  scope: '${scope}',
});
`,
};
