/**
 * The OpenID provider: the certified library `oidc-provider`, with our tables behind it and our rules in it.
 * Its Session is our row of `sessions`, its login Interaction our row of `logins`; what is its own stands hashed in
 * `oidc_artifacts`. Who may log in how is decided by flows; here only whether a session is enough is asked.
 *
 * Owns codes, tokens, consents and their table, and `logout_notices`; the cookies `sp-session`, `sp-resume`,
 * `sp-consent`, `sp-logout`, `sp-connect`.
 * Not here: logging in (flows), sessions, apps, signing keys (crypto).
 *
 * Routes: /.well-known/openid-configuration, /authorize, /token, /jwks, /userinfo, /revoke, /introspect, /request,
 * /session/end, /device/authorize, and the pages /consent/:key and /device.
 */
import type { FastifyRequest } from 'fastify';
import Provider from 'oidc-provider';
import type { Crypto } from '../crypto/types.ts';
import type { Sweep } from '../storage/types.ts';
import { createAccounts } from './accounts.ts';
import { createArtifacts, rowOf, unsupported } from './adapters/artifacts.ts';
import { createSessionAdapter } from './adapters/browser-session.ts';
import { createClientAdapter } from './adapters/clients.ts';
import { fetchBy } from './adapters/documents.ts';
import { createInteractionAdapter } from './adapters/interactions.ts';
import { createPushedAdapter } from './adapters/pushed.ts';
import type { Parts } from './configuration.ts';
import { createConsent } from './consents/consent.ts';
import { createGrants } from './consents/grants.ts';
import { createResources } from './consents/resources.ts';
import { createDeviceAdapter } from './devices/adapter.ts';
import { checkDeviceForm } from './devices/forms.ts';
import { createLiveProvider } from './live-provider.ts';
import { createBackChannel, createLogoutNotices } from './logout/back-channel.ts';
import { createPages } from './pages.ts';
import { createPending } from './pending.ts';
import { createPolicy } from './policy.ts';
import { buildProvider } from './provider.ts';
import { createPlugin } from './routes.ts';
import { deleteAllOf, deleteFamily, deleteTokens } from './store.ts';
import { createSubjects } from './subjects/subjects.ts';
import type { BrowserSession, Oidc, OidcDeps } from './types.ts';
import { createUnits } from './unit.ts';

export { longestTokenMs } from './configuration.ts';
export { appCommands, describeApp } from './developers/app-page.ts';
export { createLogoutNotices } from './logout/back-channel.ts';
export { texts } from './pages.ts';
export type { Oidc, OidcDeps } from './types.ts';

/** Ends the codes and tokens of one of a user's sessions, or of all others. */
export const endTokens = deleteTokens;
/** Ends all codes, tokens and consents of a user. */
export const endGrants = deleteAllOf;
export { listConsents } from './store.ts';

export const oidcSweeps: Sweep[] = [{ table: 'oidc_artifacts' }];

/** Reads the signing keys, and makes the first ones on an empty database. */
export async function createOidc(deps: OidcDeps): Promise<Oidc> {
  const { storage, clock, http, apps, users, sessions, flows, crypto, issuer, log } = deps;
  const { db } = storage;
  const logoutCookie = http.cookies.name('sp-logout', 'path');
  const deviceCookie = http.cookies.name('sp-connect', 'path');
  const units = createUnits(storage, (grantId) => deleteFamily(db, grantId));
  const artifacts = createArtifacts({ db, clock, units, users });
  const accounts = createAccounts({ db, apps, users, units });
  const grants = createGrants({ db, apps, units });
  const pages = createPages({ db, http, apps, sessions, clock, units, issuer });
  const pending = createPending({ issuer, db, clock, http, apps, flows, units });
  const findUser = (id: string) => (Provider.ctx ? accounts.findUser(id) : users.findById(db, id));
  const { subjectOf } = createSubjects({ db, apps, crypto, clock, findUser });
  const codes = artifacts.adapter('DeviceCode');
  const adapters = new Map([
    ['Session', createSessionAdapter({ db, apps, clock, crypto, sessions, flows, units, logoutCookie })],
    [
      'Interaction',
      createInteractionAdapter({ db, clock, flows, sessions, units, subjectOf, load: artifacts.load }),
    ],
    ['Client', createClientAdapter(apps, db)],
    ['Grant', grants.adapter],
    ['DeviceCode', createDeviceAdapter({ ...storage, clock, crypto, units, codes, rowOf })],
    ['PushedAuthorizationRequest', createPushedAdapter({ ...storage, ...artifacts, clock })],
    ...['AuthorizationCode', 'AccessToken', 'RefreshToken', 'ClientCredentials'].map(
      (model) => [model, artifacts.adapter(model)] as const,
    ),
  ]);
  const parts: Parts = {
    adapter: (model) => adapters.get(model) ?? unsupported,
    findAccount: accounts.findAccount,
    loadExistingGrant: grants.loadGrant,
    ...protocolParts(deps),
    interactions: {
      policy: createPolicy({ db, clock, apps, flows, units, subjectOf, findUser: accounts.findUser }),
      url: pending.url,
    },
    ...pages,
    subjectOf,
    sessionSeconds: () => sessionSeconds(units.current().browser, deps),
    isActive: async (accountId) => (await accounts.findUser(accountId)) !== undefined,
  };

  const own = { issuer, db, crypto, clock, http, log, units, parts, logoutCookie, deviceCookie };
  const live = await createLiveProvider({
    ...{ clock, log, revisions: storage.revisions },
    load: () => deps.keys.load(db),
    build: (keys) => buildProvider(own, keys),
  });
  const backChannel = createBackChannel({ ...deps, db, provider: live.current });
  const consent = createConsent({ storage, clock, http, apps, users, sessions });
  const checkDevice = (request: FastifyRequest) => checkDeviceForm(request, { ...storage, issuer, clock });
  return {
    plugin: createPlugin({ live, consent, checkDevice, backChannel }),
    sessionsEnded: createLogoutNotices({ apps, clock }),
    provider: live.current,
  };
}

/** Of the session at hand what is left, of one that is about to begin all. */
function sessionSeconds(browser: BrowserSession | undefined, { clock, sessionLifeMs }: OidcDeps): number {
  const leftMs = browser ? browser.session.expiresAt.getTime() - clock.now().getTime() : sessionLifeMs();
  return Math.max(1, Math.floor(leftMs / 1000));
}

const protocolParts = ({ storage, apps, crypto, clock, fetchDocument }: OidcDeps) => ({
  resources: createResources({ db: storage.db, apps }),
  fetch: fetchBy(fetchDocument),
  nonceSecret: nonceSecretOf(crypto),
  nowSeconds: () => Math.floor(clock.now().getTime() / 1000),
});

/** The bytes of a mac: known to every instance that has the same key, and to nobody else. */
const nonceSecretOf = (crypto: Crypto): Buffer =>
  Buffer.from(crypto.mac('dpop-nonce', 'nonces').split('.').at(-1) ?? '', 'base64url');
