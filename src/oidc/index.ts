/**
 * The OpenID provider: the certified library `oidc-provider`, with our tables behind it and our rules in it.
 * Its Session is our row of `sessions`, its login Interaction our row of `logins`; what is its own stands hashed in
 * `oidc_artifacts`. Who may log in how is decided by flows; here only whether a session is enough is asked.
 *
 * Owns codes, tokens, consents and their table; the cookies `sp-session`, `sp-resume`, `sp-consent`, `sp-logout`.
 * Not here: logging in (flows), sessions, apps, signing keys (crypto).
 *
 * Routes: /.well-known/openid-configuration, /authorize, /token, /jwks, /userinfo, /revoke, /introspect,
 * /session/end, and the consent page /consent/:key.
 */
import type { Sweep } from '../storage/types.ts';
import { createAccounts } from './accounts.ts';
import { createArtifacts, createGrantAdapter, unsupported } from './adapters/artifacts.ts';
import { createSessionAdapter } from './adapters/browser-session.ts';
import { createClientAdapter } from './adapters/clients.ts';
import { createInteractionAdapter } from './adapters/interactions.ts';
import type { Parts } from './configuration.ts';
import { createConsent } from './consent.ts';
import { createPages } from './pages.ts';
import { createPending } from './pending.ts';
import { createPolicy } from './policy.ts';
import { buildProvider } from './provider.ts';
import { createPlugin } from './routes.ts';
import { deleteFamily } from './store.ts';
import type { Oidc, OidcDeps } from './types.ts';
import { createUnits } from './unit.ts';

export { texts } from './pages.ts';
export type { Oidc, OidcDeps } from './types.ts';

export const oidcSweeps: Sweep[] = [{ table: 'oidc_artifacts' }];

/** Reads the signing keys, and makes the first ones on an empty database. */
export async function createOidc(deps: OidcDeps): Promise<Oidc> {
  const { storage, clock, http, apps, users, sessions, flows, crypto, issuer, log } = deps;
  const { db } = storage;
  const logoutCookie = http.cookies.name('sp-logout', 'path');
  const units = createUnits(storage, (grantId) => deleteFamily(db, grantId));
  const artifacts = createArtifacts({ db, clock, units });
  const accounts = createAccounts({ db, users, units });
  const pages = createPages({ db, http, apps, sessions, clock, units });
  const pending = createPending({ issuer, db, clock, http, apps, flows, units });
  const adapters = new Map([
    ['Session', createSessionAdapter({ db, clock, crypto, sessions, flows, units, logoutCookie })],
    ['Interaction', createInteractionAdapter({ db, clock, flows, sessions, units, load: artifacts.load })],
    ['Client', createClientAdapter(apps, db)],
    ['Grant', createGrantAdapter(units)],
    ...['AuthorizationCode', 'AccessToken', 'RefreshToken'].map(
      (model) => [model, artifacts.adapter(model)] as const,
    ),
  ]);
  const parts: Parts = {
    adapter: (model) => adapters.get(model) ?? unsupported,
    findAccount: accounts.findAccount,
    loadExistingGrant: accounts.loadGrant,
    interactions: {
      policy: createPolicy({ db, clock, apps, flows, units, findUser: accounts.findUser }),
      url: pending.url,
    },
    ...pages,
    sessionSeconds: () => {
      const { browser } = units.current();
      const leftMs = browser
        ? browser.session.expiresAt.getTime() - clock.now().getTime()
        : deps.sessionLifeMs();
      return Math.max(1, Math.floor(leftMs / 1000));
    },
    isActive: async (accountId) => (await accounts.findUser(accountId)) !== undefined,
  };

  const own = { issuer, crypto, clock, http, log, units, parts, logoutCookie };
  const provider = buildProvider(own, await deps.keys.load(db));
  return {
    plugin: createPlugin(provider, createConsent({ storage, clock, http, apps, users, sessions })),
    provider: () => provider,
  };
}
