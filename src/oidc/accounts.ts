import type { Account, ClaimsParameterMember, KoaContextWithOIDC } from 'oidc-provider';
import type { Apps } from '../apps/types.ts';
import type { Db } from '../storage/types.ts';
import type { User, Users } from '../users/types.ts';
import { appClaims } from './subjects/app-claims.ts';
import type { Units } from './unit.ts';

/** Which claims a scope brings. The last three speak of the login, not of the person. */
export const claims = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  groups: ['groups'],
};

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
  apps: Apps;
  users: Users;
  units: Units;
}

export function createAccounts({ db, apps, users, units }: AccountsDeps) {
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

    async findAccount(context: KoaContextWithOIDC, id: string): Promise<Account | undefined> {
      const user = await findUser(id);
      if (!user) return undefined;
      return {
        accountId: user.id,
        async claims(
          _use: string,
          scope: string,
          _claims: { [claim: string]: null | ClaimsParameterMember },
        ) {
          const { client } = context?.oidc ?? {};
          const app = client && (await apps.find(db, client.clientId));
          return { sub: user.id, ...claimsOf(user), ...appClaims(app, user, scope) };
        },
      };
    },
  };
}
