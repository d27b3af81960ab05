import type { Account, ClaimsParameterMember, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { sha256 } from '../crypto/index.ts';
import type { Db } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import type { OwnMembers } from './adapters/clients.ts';
import { findArtifact } from './store.ts';
import type { Units } from './unit.ts';

/** Which claims a scope brings. The last three speak of the login, not of the person. */
export const claims = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  groups: ['groups'],
};

/** The id under which an app's tokens of one session belong together: ended as one, never stored by itself. */
export const grantIdOf = (sessionId: string, clientId: string): string => sha256(`${sessionId} ${clientId}`);

/** Key of the row that remembers what a person allowed an app. */
export const consentKeyOf = (userId: string, appId: string): string => sha256(`consent ${userId} ${appId}`);

/** The scopes of a stored consent. */
export async function consentedScopes(db: Db, userId: string, appId: string): Promise<string[]> {
  const row = await findArtifact(db, consentKeyOf(userId, appId));
  const granted = row?.payload.scopes;
  return Array.isArray(granted) ? granted.filter((scope) => typeof scope === 'string') : [];
}

function claimsOf(user: User): Record<string, string | boolean | string[]> {
  return {
    ...(user.name !== null && { name: user.name }),
    preferred_username: user.username,
    ...(user.email !== null && { email: user.email, email_verified: user.emailVerified }),
    ...(user.phone !== null && { phone_number: user.phone, phone_number_verified: user.phoneVerified }),
    groups: user.groups,
  };
}

export interface AccountsDeps {
  db: Db;
  users: Users;
  units: Units;
}

export function createAccounts({ db, users, units }: AccountsDeps) {
  /** Nobody once disabled: tokens, refreshing and sessions stop working with the next request. */
  async function findUser(id: string): Promise<User | undefined> {
    const known = units.current().users;
    const reading = known.get(id) ?? users.findById(db, id);
    known.set(id, reading);
    const user = await reading;
    return user?.disabled ? undefined : user;
  }

  return {
    findUser,

    async findAccount(_context: KoaContextWithOIDC, id: string): Promise<Account | undefined> {
      const user = await findUser(id);
      if (!user) return undefined;
      return {
        accountId: user.id,
        async claims(
          _use: string,
          _scope: string,
          _claims: { [claim: string]: null | ClaimsParameterMember },
        ) {
          return { sub: user.id, ...claimsOf(user) };
        },
      };
    },

    /** What the app may have: all it asks for where no consent is needed, else what the person has allowed. */
    async loadGrant(context: KoaContextWithOIDC): Promise<Grant | undefined> {
      const { session, client, provider, requestParamOIDCScopes } = context.oidc;
      if (!session?.accountId || !client) return undefined;
      const { clientId } = client;
      let granted = [...requestParamOIDCScopes];
      if (!(client as OwnMembers).first_party) {
        const consented = new Set(await consentedScopes(db, session.accountId, clientId));
        granted = granted.filter((scope) => consented.has(scope));
        if (granted.length === 0) return undefined;
      }
      const grant = new provider.Grant({ accountId: session.accountId, clientId });
      grant.jti = grantIdOf(session.uid, clientId);
      if (granted.length > 0) grant.addOIDCScope(granted.join(' '));
      return grant;
    },
  };
}
