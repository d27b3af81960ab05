import type { Adapter, AdapterPayload, Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { App, Apps } from '../../apps/types.ts';
import { sha256 } from '../../crypto/index.ts';
import type { Db } from '../../storage/types.ts';
import { unsupported } from '../adapters/artifacts.ts';
import { scopes as oidcScopes } from '../adapters/clients.ts';
import { findArtifact } from '../store.ts';
import type { Units } from '../unit.ts';
import { apiScope, needsConsent, permittedClaims, scopesOfClaim } from './resources.ts';

/** The id under which an app's tokens of one session belong together: ended as one, never stored by itself. */
export const grantIdOf = (sessionId: string, clientId: string): string => sha256(`${sessionId} ${clientId}`);

/** Key of the row that remembers what a person allowed an app. */
export const consentKeyOf = (userId: string, appId: string): string => sha256(`consent ${userId} ${appId}`);

/** The scopes of a stored consent; those of APIs in the form of `apiScope`. */
export async function consentedScopes(db: Db, userId: string, appId: string): Promise<string[]> {
  const row = await findArtifact(db, consentKeyOf(userId, appId));
  const granted = row?.payload.scopes;
  return Array.isArray(granted) ? granted.filter((scope) => typeof scope === 'string') : [];
}

export interface GrantsDeps {
  db: Db;
  apps: Apps;
  units: Units;
}

/** What apps may have of what they ask for. */
export function createGrants({ db, apps, units }: GrantsDeps) {
  return {
    /** All it asks for where no consent is needed, else what the person has allowed. */
    async loadGrant(context: KoaContextWithOIDC): Promise<Grant | undefined> {
      const { session, client, provider } = context.oidc;
      if (!session?.accountId || !client) return undefined;
      const app = await apps.find(db, client.clientId);
      if (!app) return undefined;
      const grant = new provider.Grant({ accountId: session.accountId, clientId: app.id });
      grant.jti = grantIdOf(session.uid, app.id);
      const consented = app.firstParty
        ? undefined
        : new Set(await consentedScopes(db, session.accountId, app.id));
      const allowed = allow(grant, context, app, (scope) => consented?.has(scope) ?? true);
      return allowed || app.firstParty ? grant : undefined;
    },

    /**
     * Grants are not stored: a token that was just read tells whose it is and how far it goes, and ending a grant
     * ends its tokens. What a person has allowed an app is kept as a consent.
     */
    adapter: {
      ...unsupported,
      async find(id): Promise<AdapterPayload | undefined> {
        const source = units.current().grants.get(id);
        if (!source) return undefined;
        const { accountId, clientId, scope, resources, claims } = source;
        const app = await apps.find(db, clientId);
        const known = new Set<string>(oidcScopes);
        const own = scope.split(' ').filter((one) => known.has(one));
        const ofApis = scope.split(' ').filter((one) => !known.has(one));
        return {
          ...{ jti: id, kind: 'Grant', accountId, clientId },
          openid: { scope: own.join(' '), claims: app ? permittedClaims(app, claims) : [] },
          resources: Object.fromEntries(resources.map((audience) => [audience, ofApis.join(' ')])),
        };
      },
      async destroy() {},
    } satisfies Adapter,
  };
}

/** Adds to the grant what may be had. False when that is nothing. */
function allow(
  grant: Grant,
  { oidc }: KoaContextWithOIDC,
  app: App,
  isAllowed: (scope: string) => boolean,
): boolean {
  const scopes = [...oidc.requestParamOIDCScopes].filter(isAllowed);
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '));
  let any = scopes.length > 0;
  for (const [audience, { scopes: known }] of Object.entries(oidc.resourceServers ?? {})) {
    const granted = [...oidc.requestParamScopes].filter(
      (scope) => known.has(scope) && isAllowed(apiScope(audience, scope)),
    );
    if (granted.length > 0) grant.addResourceScope(audience, granted.join(' '));
    any ||= granted.length > 0;
  }
  const named = [...oidc.requestParamClaims];
  const permitted = new Set(permittedClaims(app, named));
  // Refused in silence: the specification treats claims that are not given as no error.
  grant.rejectOIDCClaims(named.filter((claim) => !permitted.has(claim)));
  grant.addOIDCClaims(
    [...permitted].filter((claim) => !needsConsent(claim) || scopesOfClaim(claim).some(isAllowed)),
  );
  return any;
}
