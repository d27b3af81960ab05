import type { App, Apps } from '../../apps/types.ts';
import { acrMeanings, amrMeanings } from '../../flows/index.ts';
import { Problem } from '../../lib/problem.ts';
import type { Db } from '../../storage/types.ts';
import { routes } from '../configuration.ts';
import { type LibrarySettings, settingsFor } from './libraries.ts';

/** What the developers of an app have to know. Plain JSON, without any secret. */
export interface AppPage {
  id: string;
  name: string;
  enabled: boolean;
  /** Name and value. */
  facts: [string, string][];
  redirectUris: string[];
  scopes: string[];
  /** Values with what they mean. */
  acr: [string, string][];
  amr: [string, string][];
  libraries: LibrarySettings[];
}

const endpoints = [
  ['Authorization', routes.authorization],
  ['Token', routes.token],
  ['Userinfo', routes.userinfo],
  ['Keys', routes.jwks],
  ['Introspection', routes.introspection],
  ['Revocation', routes.revocation],
  ['Sign-out', routes.end_session],
] as const;

/** Throws Problem 404 for an app that is not there. */
export async function describeApp(
  { db, apps, issuer }: { db: Db; apps: Pick<Apps, 'find'>; issuer: URL },
  id: string,
): Promise<AppPage> {
  const app = await apps.find(db, id);
  if (!app) {
    throw new Problem({ status: 404, code: 'unknown_app', message: `There is no app with the id '${id}'.` });
  }
  const [redirectUri] = app.redirectUris;
  const facts = { issuer: issuer.origin, app, scope: app.scopes.join(' ') };
  return {
    id: app.id,
    name: app.name,
    enabled: app.enabled,
    facts: [
      ['Issuer', issuer.origin],
      ['Discovery', `${issuer.origin}/.well-known/openid-configuration`],
      ...endpoints.map(([name, path]): [string, string] => [name, `${issuer.origin}${path}`]),
      ['client_id', app.id],
      ['Authentication', authenticationOf(app)],
      ['PKCE', app.pkce],
      ['ID token', app.idTokenSignedResponseAlg],
    ],
    redirectUris: app.redirectUris,
    scopes: app.scopes,
    acr: Object.entries(acrMeanings),
    amr: Object.entries(amrMeanings()),
    libraries: redirectUri === undefined ? [] : settingsFor({ ...facts, redirectUri }),
  };
}

/** Two live secrets are how one is replaced: forgetting the older one would keep it alive. */
function authenticationOf({ tokenEndpointAuthMethod, secretHashes }: App): string {
  return secretHashes.length > 1
    ? `${tokenEndpointAuthMethod}, two secrets are live: remove previousSecret when the new one is in use everywhere`
    : tokenEndpointAuthMethod;
}

/** What the command line may ask of a running server. */
export const appCommands = (
  describe: (id: string) => Promise<AppPage>,
): Record<string, (input: unknown) => Promise<unknown>> => ({
  'app/show': (input) => describe(String((input as { id?: unknown }).id)),
});
